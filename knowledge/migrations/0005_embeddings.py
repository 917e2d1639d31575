import django.db.models.deletion
import django.utils.timezone
import pgvector.django.halfvec
import pgvector.django.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0004_read_from_text")]

    operations = [
        pgvector.django.VectorExtension(),
        migrations.CreateModel(
            name="Embedder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "due"),
                            ("taken", "being done"),
                            ("kept", "done"),
                            ("broken", "failed"),
                            ("uncertain", "uncertain"),
                            ("dropped", "not needed any more"),
                        ],
                        default="due",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="due at")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("problem", models.CharField(blank=True, default="", max_length=500, verbose_name="last problem")),
                ("name", models.CharField(max_length=200, unique=True, verbose_name="embedder")),
                ("slot", models.SmallIntegerField(choices=[(0, "0"), (1, "1")], unique=True)),
                ("serves", models.BooleanField(default=False, verbose_name="answers questions")),
                ("failures", models.PositiveIntegerField(default=0)),
                ("strange", models.FloatField(default=0.0)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("failure", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={"verbose_name": "embedder", "verbose_name_plural": "embedders"},
        ),
        migrations.CreateModel(
            name="Embedding",
            fields=[
                (
                    "embedder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="knowledge.embedder",
                    ),
                ),
                ("digest", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "embedder", "digest", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slot", models.SmallIntegerField()),
                ("vector", pgvector.django.halfvec.HalfVectorField(dimensions=1536)),
            ],
            options={"verbose_name": "embedding"},
        ),
        migrations.AddConstraint(
            model_name="embedder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("serves", True)), fields=("serves",), name="embedder_one_serves"
            ),
        ),
        # a vector is a little longer than what PostgreSQL keeps beside the row by itself: fetched from elsewhere, each
        # would cost a second look
        migrations.RunSQL(
            "ALTER TABLE knowledge_embedding ALTER COLUMN vector SET STORAGE PLAIN", migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name="embedding",
            index=pgvector.django.indexes.HnswIndex(
                condition=models.Q(("slot", 0)),
                ef_construction=64,
                fields=["vector"],
                m=16,
                name="embedding_near_0",
                opclasses=["halfvec_ip_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="embedding",
            index=pgvector.django.indexes.HnswIndex(
                condition=models.Q(("slot", 1)),
                ef_construction=64,
                fields=["vector"],
                m=16,
                name="embedding_near_1",
                opclasses=["halfvec_ip_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="passage",
            index=models.Index(fields=["digest"], name="passage_digest"),
        ),
    ]
