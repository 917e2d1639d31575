"""A quote made long ago still comes to its digest: the calculator of today reads the quotes of yesterday.

When this fails, don't write the file anew. A calculator that reckons or traces differently is a new edition.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

from pricing import snapshot
from pricing.calculator import EDITION, calculate

GOLDEN = Path(__file__).with_name("golden_quote.json")


def test_a_kept_quote_comes_to_the_same_digest() -> None:
    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))

    rules = snapshot.rules_from_json(kept["rules"])
    calculation = calculate(snapshot.request_from_json(kept["inputs"]), rules)
    result, trace = snapshot.result_to_json(calculation), snapshot.trace_to_json(calculation)

    assert EDITION == 1
    assert (result, trace) == (kept["result"], kept["trace"])
    assert snapshot.digest(kept["rules"]) == kept["rules_sha256"]
    assert snapshot.rules_to_json(rules) == kept["rules"]
    assert (
        snapshot.quote_digest(
            number=kept["number"],
            created_at=datetime.fromisoformat(kept["created_at"]),
            valid_until=date.fromisoformat(kept["valid_until"]),
            inputs=kept["inputs"],
            rules_sha256=kept["rules_sha256"],
            result=result,
            trace=trace,
        )
        == kept["sha256"]
    )
