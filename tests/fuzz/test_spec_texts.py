"""A bounded random run of what fuzz_spec.py runs for as long as one likes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.spec_texts import SPEC, one_input, read_text

VOCABULARY = """
SELECT FROM WHERE GROUP BY AS AND OR NOT IS NULL IN BETWEEN CASE WHEN THEN ELSE END TUMBLE( HOP( INTERVAL '10' '1'
SECOND count(*) count( avg( quantile( DISTINCT HAVING ORDER LIMIT JOIN UNION WITH OVER air rows windows zone device
temp seq ts double n x ( ) , , . * + - / % = <> < >= || 0 1 0.5 1e9 'a' "b" ; -- CAST( FLOAT TEXT EXISTS FILTER
ROLLUP( CUBE EXTRACT( DATE [ ] { } :: ? @ $1 `
"""
WORDS = st.sampled_from(VOCABULARY.split())
QUERIES = st.lists(WORDS, max_size=25).map(" ".join)
MARKS = """
name: streams: steps: sql: late: { } [ ] , - " ' | > &a *a << !!x # ? % air mqtt fields float time 5s é --- ...
{zone} identity from emit on image: a@b:c:1 process:x env: on: ports: "1:2" volumes: "a:/b" /.. services: cpu: 0.5 1Mi
"""
BLANKS = st.sampled_from(["\n", "  ", ": ", "\t", "\r", "\x00", "\ufeff", "\u2028", "\ud7ff"])
PIECES = BLANKS | st.sampled_from(MARKS.split())


@settings(max_examples=150, deadline=None)
@given(query=QUERIES)
def test_any_words_as_sql_are_a_plan_or_faults_with_places(query: str) -> None:
    read_text(SPEC + f"      {query}\n")


@settings(max_examples=60, deadline=None)
@given(query=QUERIES, start=st.sampled_from(["SELECT zone, ", "SELECT temp FROM air WHERE "]))
def test_any_words_within_a_query_are_a_plan_or_faults_with_places(query: str, start: str) -> None:
    read_text(SPEC + f"      {start}{query}\n")


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(PIECES, max_size=25), cut=st.integers(0, len(SPEC)))
def test_any_text_within_a_spec_is_a_plan_or_faults_with_places(pieces: list[str], cut: int) -> None:
    read_text(SPEC[:cut] + "".join(pieces) + SPEC[cut:])


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    one_input(data)
