"""The database itself says when the rules have changed, and numbers the quotes.

A trigger sees every way a row can change: the admin, a bulk update, a file, another program, psql.
"""

from django.db import migrations

TABLES = ("product", "tier", "service", "discount", "pricingrules", "vatmode")

FUNCTION = """
CREATE FUNCTION pricing_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pricing_catalogueversion (id, token) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET token = excluded.token;
    RETURN NULL;
END
$$;
"""

TRIGGER = """
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pricing_{table}
FOR EACH STATEMENT EXECUTE FUNCTION pricing_rules_changed();
"""


class Migration(migrations.Migration):
    dependencies = [("pricing", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION pricing_rules_changed()"),
        migrations.RunSQL(
            "".join(TRIGGER.format(table=table) for table in TABLES),
            "".join(f"DROP TRIGGER rules_changed ON pricing_{table};" for table in TABLES),
        ),
        migrations.RunSQL("CREATE SEQUENCE pricing_quote_number", "DROP SEQUENCE pricing_quote_number"),
    ]
