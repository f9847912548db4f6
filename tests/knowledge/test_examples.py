"""Every row of every pack keeps what its examples promise. How a pack registers: penstock.knowledge.pack."""

import pytest

from penstock.knowledge.pack import definition, load_pack, pack_names


@pytest.mark.parametrize("name", pack_names())
def test_every_row_keeps_its_examples(name):
    how = definition(name)
    assert how.check is not None, f"pack {name} has no checker for its examples"
    wrong = []
    pack = load_pack(name)
    for row, place in zip(pack.rows, pack.places, strict=True):
        examples = list(how.examples(row))
        for expected in (True, False):
            if not any(said is expected for said, _ in examples):
                wrong.append(f"{place}: no example that must {'apply' if expected else 'stay silent'}")
        wrong += [
            f"{place}: {'does not apply to' if expected else 'applies to'} {example!r}"
            for expected, example in examples
            if bool(how.check(row, example)) is not expected
        ]
    assert not wrong, "\n".join(wrong)
