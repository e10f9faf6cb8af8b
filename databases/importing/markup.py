"""XML of a workbook as a stream of events, with everything dangerous refused.

expat itself resolves no external entity; declaring any, or a document type at all, is refused
before it could unfold. No spreadsheet program writes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers import expat

from databases.importing.problems import FileProblem

Attributes = dict[str, str]


def local(name: str) -> str:
    """Give a name without its namespace prefix: strict and transitional files differ in these."""
    return name.rsplit(":", 1)[-1]


class Handler:
    """What a reader does at each start, end and text."""

    def start(self, name: str, attributes: Attributes) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


def parser_for(handler: Handler) -> expat.XMLParserType:
    """Make a parser that reports to `handler` and refuses what no workbook contains."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 64 * 1024
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    return parser


def feed(parser: expat.XMLParserType, pieces: Iterable[bytes]) -> Iterator[None]:
    """Parse `pieces` one after the other, pausing after each."""
    try:
        for piece in pieces:
            parser.Parse(piece)
            yield
        parser.Parse(b"", True)  # noqa: FBT003 -- expat takes no keywords
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as error:
        raise FileProblem("damaged") from error
    yield


class _Collector(Handler):
    def __init__(self) -> None:
        self.found: list[tuple[str, Attributes]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        self.found.append((local(name), attributes))
        if len(self.found) > 200_000:
            raise FileProblem("too_complex")


def elements(content: bytes) -> list[tuple[str, Attributes]]:
    """Give (name, attributes) of all elements of a small document, in order."""
    collector = _Collector()
    for _ in feed(parser_for(collector), [content]):
        pass
    return collector.found


def _refuse(*_arguments: Any) -> int:
    raise FileProblem("dangerous")
