from django.db import migrations


class Migration(migrations.Migration):
    """How many passages have a mark is the length of its list now: only stems, which have letters, are kept."""

    dependencies = [("knowledge", "0007_model_profiles")]

    operations = [
        migrations.RunSQL("DELETE FROM knowledge_mark WHERE stem = ''", migrations.RunSQL.noop),
    ]
