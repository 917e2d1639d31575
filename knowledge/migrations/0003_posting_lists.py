"""Postings in lists of four bytes each. The index is built anew: nothing in it was made by hand."""

import django.db.models.deletion
from django.db import migrations, models

EMPTY = """
TRUNCATE knowledge_passage, knowledge_posting, knowledge_mark, knowledge_yardstick;
"""
SETTLE = """
-- lists don't compress, and trying costs more than storing them
ALTER TABLE knowledge_postinglist ALTER COLUMN postings SET STORAGE EXTERNAL;
ALTER TABLE knowledge_passage ALTER COLUMN marks SET STORAGE EXTERNAL;
-- a changed article writes hundreds of lists anew: what they leave behind is cleared away soon
ALTER TABLE knowledge_postinglist SET (autovacuum_vacuum_scale_factor = 0.05);
"""
OWE = """
INSERT INTO knowledge_indexing (article_id, version, state, due_at, attempts, problem, created_at)
SELECT id, version, 'due', now(), 0, '', now() FROM knowledge_article WHERE status = 'published'
ON CONFLICT (article_id, version) DO UPDATE SET state = 'due', due_at = now(), attempts = 0, problem = '';
"""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_covering_index")]

    operations = [
        migrations.RunSQL(EMPTY, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="PostingList",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "mark", "range", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("mark", models.IntegerField()),
                ("range", models.IntegerField()),
                ("postings", models.BinaryField()),
            ],
            options={"verbose_name": "posting list"},
        ),
        migrations.DeleteModel(name="Posting"),
        migrations.RemoveField(model_name="passage", name="factors"),
        migrations.RemoveField(model_name="passage", name="yardstick"),
        migrations.RemoveField(model_name="passage", name="marks"),
        migrations.AddField(
            model_name="passage", name="marks", field=models.BinaryField(default=b""), preserve_default=False
        ),
        migrations.AlterField(
            model_name="passage",
            name="article",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="passages",
                to="knowledge.article",
                verbose_name="article",
            ),
        ),
        migrations.AddIndex(
            model_name="passage",
            index=models.Index(fields=["article"], include=("id", "kind", "position"), name="passages_of_article"),
        ),
        migrations.RemoveField(model_name="yardstick", name="number"),
        migrations.RemoveField(model_name="yardstick", name="body_words"),
        migrations.RemoveField(model_name="yardstick", name="body_runs"),
        migrations.RemoveField(model_name="yardstick", name="question_words"),
        migrations.RemoveField(model_name="yardstick", name="question_runs"),
        migrations.AlterField(
            model_name="mark", name="mark", field=models.IntegerField(primary_key=True, serialize=False)
        ),
        migrations.RunSQL(SETTLE, migrations.RunSQL.noop),
        migrations.RunSQL(OWE, migrations.RunSQL.noop),
    ]
