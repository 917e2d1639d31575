"""What makes the posting table fast and Django can't say."""

from django.db import migrations

FORWARD = """
-- the index holds all that a search reads, so that the table itself is never looked at
ALTER TABLE knowledge_posting DROP CONSTRAINT knowledge_posting_pkey;
ALTER TABLE knowledge_posting ADD CONSTRAINT knowledge_posting_pkey PRIMARY KEY (mark, passage) INCLUDE (factor);
-- such scans need pages known to be settled: look after them sooner than after a fifth of the table
ALTER TABLE knowledge_posting SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE knowledge_passage SET (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05
);
-- digests don't compress: trying costs a third of the time of storing them
ALTER TABLE knowledge_passage ALTER COLUMN marks SET STORAGE EXTERNAL;
ALTER TABLE knowledge_passage ALTER COLUMN factors SET STORAGE EXTERNAL;
"""
BACK = """
ALTER TABLE knowledge_posting DROP CONSTRAINT knowledge_posting_pkey;
ALTER TABLE knowledge_posting ADD CONSTRAINT knowledge_posting_pkey PRIMARY KEY (mark, passage);
ALTER TABLE knowledge_posting RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor
);
ALTER TABLE knowledge_passage RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE knowledge_passage ALTER COLUMN marks SET STORAGE EXTENDED;
ALTER TABLE knowledge_passage ALTER COLUMN factors SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
