"""Words: what is found by what, and that no text on earth breaks it."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.rules import words
from sessions_app.rules.searchable import Source, digest_of, document_of

ID = UUID("deadbeef-0000-4000-8000-0123456789ab")


def finds(question: str, *, title: str = "", task: str = "") -> bool:
    """As both databases do it."""
    document = words.document(uuid=ID, parts=[title], texts=[task]).split()
    asked = words.asked(question)

    def all_there(beginnings: tuple[str, ...]) -> bool:
        return bool(beginnings) and all(any(word.startswith(b) for word in document) for b in beginnings)

    return all_there(asked.words) or all_there(asked.id_pieces)


@pytest.mark.parametrize(("question", "text"), [
    ("invoice", "Collect INVOICES"), ("cafe", "Le Café"), ("CAFÉ", "le cafe"), ("strasse", "Straße"), ("uber", "U\u0308ber"),
    ("елка", "Ёлка"), ("東京", "東京都庁へ行く"), ("都", "東京都庁"), ("庁", "東京都庁"), ("京都庁", "東京都庁"), ("abc", "ＡＢＣ"), ("검색", "한국어 검색"),
    ("हिन्दी", "यह हिन्दी है"), ("🚀", "Go 🚀!"), ("iphone15", "iPhone15を買う"), ("買う", "iPhone15を買う"), ('"desk" OR -chair*', "desk or chair"),
    ("two-word", "a two word title"), ("4.95", "costs 4.95"), ("x" * 300, "x" * 300),
])  # fmt: skip
def test_what_is_found(question, text):
    assert finds(question, title=text)
    assert finds(question, task=text)


@pytest.mark.parametrize(("question", "found_in_title"), [("voice", True), ("oi", True), ("ices", True), ("xvoice", False)])  # fmt: skip
def test_any_part_of_a_word_in_a_title_and_its_beginning_in_a_task(question, found_in_title):
    assert finds(question, title="Collect invoices") is found_in_title
    assert not finds(question, task="Collect invoices")


@pytest.mark.parametrize(
    "question", ["deadbeef", "DEAD", "BEEF-0000", "0123456789ab", str(ID), ID.hex, "8000-0123"]
)
def test_any_part_of_an_id(question):
    assert finds(question)


@pytest.mark.parametrize(
    "question", ["bee", "deadbeee", "0" * 33, "dead beef cafe", "???", '"', "", "-----", "\0"]
)
def test_what_is_not_there_is_not_found(question):
    assert not finds(question)


@given(st.text(), st.text(max_size=300))
def test_any_word_of_a_text_finds_it(text, more):
    for word in words.words(text)[:20]:
        assert finds(word, task=text)
        assert finds(word[:1] if word.isascii() else word, task=f"{text} {more}")


@given(st.text(max_size=400))
def test_a_word_holds_nothing_that_a_database_reads_as_an_operator(text):
    asked = words.asked(text)
    document = words.document(uuid=uuid4(), parts=[text], texts=[text])
    for word in (*asked.words, *asked.id_pieces, *document.split(" ")):
        assert word and len(word) <= words.LONGEST_WORD + 1
        assert not set(word) & set("\"'\\*()&|!:<>^+- \0\t\r\n")
        word.encode()
    assert len(asked.words) <= words.MOST_ASKED
    assert words.asked(text.upper()).words == words.asked(text.upper().lower()).words or not text.isascii()


def test_there_is_an_end_to_what_is_kept():
    document = words.document(uuid=ID, parts=["title"], texts=[" ".join(f"w{n}" for n in range(50_000))])
    assert len(document.split()) == words.MOST_WORDS
    assert " title " in document


# ---- what of a session counts ----------------------------------------------------------------------


def source(**fields) -> Source:
    given = {"uuid": ID, "title": "", "last_step": "", "is_live": False, "task": "", "raw": ""}
    return Source(**given | fields)


def test_output_of_any_shape_counts():
    raw = '{"output": {"best": ["Aurora 5", 7, null, true, {"deep": "Zażółć"}]}, "model": "hidden"}'
    document = document_of(source(raw=raw)).split()
    assert {"best", "aurora", "5", "7", "deep", "zazołc"} <= set(document)
    assert "hidden" not in document


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", "null", '{"output": ', "[" * 5_000, '{"output":' + "[" * 5_000]
)
def test_a_broken_reply_costs_nothing_but_itself(raw):
    assert "title" in document_of(source(title="title", raw=raw))


def test_a_living_sessions_steps_make_no_new_document():
    first, second = source(is_live=True, last_step="one"), source(is_live=True, last_step="two")
    assert digest_of(first) == digest_of(second)
    assert digest_of(first._replace(is_live=False)) != digest_of(second._replace(is_live=False))
    assert "two" not in document_of(second).split()
    assert "two" in document_of(second._replace(is_live=False)).split()
