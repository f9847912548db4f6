"""Names of people, where a model for them is installed; and what is said where none is."""

import importlib.util

import pytest

from penstock.errors import NotReachable
from penstock.inspect.sensitive import names as names_module
from penstock.inspect.sensitive.names import names

INSTALLED = importlib.util.find_spec("spacy") is not None


@pytest.mark.skipif(INSTALLED, reason="spaCy is installed")
def test_without_the_extra_the_message_names_the_command():
    with pytest.raises(NotReachable) as error:
        names("Ada Lovelace", "xx_ent_wiki_sm")
    assert error.value.hint == "pip install 'penstock[ner]'"


@pytest.mark.skipif(not INSTALLED, reason="the extra ner is not installed")
def test_without_the_model_the_message_names_the_command():
    with pytest.raises(NotReachable) as error:
        names("Ada Lovelace", "no_such_model")
    assert error.value.hint == "python -m spacy download no_such_model"


@pytest.mark.skipif(not INSTALLED, reason="the extra ner is not installed")
def test_people_and_streets_are_told_and_towns_are_not(tmp_path, monkeypatch):
    import spacy

    model = spacy.blank("en")
    model.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "PERSON", "pattern": "Ada Lovelace"},
            {"label": "GPE", "pattern": "London"},
            {"label": "FAC", "pattern": "Baker Street"},
        ]
    )
    model.to_disk(tmp_path / "model")
    monkeypatch.setattr(names_module, "PIECE", 60)  # so that the text is read in pieces
    text = "Ada Lovelace lives in London.\nWrite to Ada Lovelace,\n221b Baker Street\n" * 3
    found = [(span.type, text[span.start : span.end]) for span in names(text, str(tmp_path / "model"))]
    assert found == [("PERSON", "Ada Lovelace"), ("PERSON", "Ada Lovelace"), ("ADDRESS", "Baker Street")] * 3
