"""A completion with spans marked: in colour on a terminal, by lines of carets below the text where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from promptkit.text import Span

__all__ = ["WHOLE", "Extent", "Mark", "Marked", "caret_lines", "harmless", "shortened"]

MAX_WIDTH = 100  # a log has no width, and lines that are longer are not read
MAX_LINES = 4  # of a span that is underlined whole; of a longer one the first and the last are
CONTROLS = {code: 0x2400 + code for code in range(32) if code != ord("\n")} | {ord("\t"): ord("⇥"), 127: 0x2421}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A span to be marked, what to say of it, and its colour."""

    span: Span
    label: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a text is shown: all of it up to `max_characters`; of a longer one its ends, and the ends of marks.

    `kept` characters are shown at each end of the text, the start only if `has_start`, and on both sides of a mark's.
    """

    max_characters: int
    kept: int
    has_start: bool = True


WHOLE = Extent(max_characters=8_000, kept=1_000)


def harmless(text: str) -> str:
    """The text with a picture in the place of each control character: of the same length, and nothing rings or moves."""
    return text.translate(CONTROLS)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with its marks. Where marks overlap, the shorter one shows, and has its carets nearer to the text."""

    text: str
    marks: Sequence[Mark]
    extent: Extent = WHOLE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if console.color_system is None or console.no_color:
            width = min(options.max_width, MAX_WIDTH)
            for line in caret_lines(self.text, self.marks, width, self.extent):
                yield Text(line, no_wrap=True, overflow="ignore")
            return
        yield self.coloured()

    def coloured(self) -> Text:
        """The text in colour, long stretches without a mark left out."""
        view = Text()
        for piece in pieces(self.text, self.marks, self.extent):
            if isinstance(piece, str):
                view.append(piece + "\n", style="dim italic")
                continue
            part = Text(harmless(self.text[piece.start : piece.end]))
            for mark in sorted(self.marks, key=length, reverse=True):  # a later style lies over an earlier one
                part.stylize(mark.style, max(0, mark.span.start - piece.start), max(0, mark.span.end - piece.start))
            view.append_text(part).append("\n")
        view.right_crop(1)
        return view


def caret_lines(text: str, marks: Sequence[Mark], width: int, extent: Extent = WHOLE) -> Iterator[str]:
    """The text's lines, folded to `width`, each with a line of carets and a label below it for each mark on it."""
    for piece in pieces(text, marks, extent):
        if isinstance(piece, str):
            yield piece
            continue
        lines = list(folded(text, piece, width))
        for line in lines:
            yield harmless(text[line.start : line.end])
            for mark in sorted(marks, key=length):
                yield from carets_below(text, line, mark, [each for each in lines if touches(each, mark.span)])


def carets_below(text: str, line: Span, mark: Mark, on_lines: Sequence[Span]) -> Iterator[str]:
    """The line of carets of a mark below one line, where there is to be one."""
    if line not in on_lines:
        return
    is_long, is_first, is_last = len(on_lines) > MAX_LINES, line == on_lines[0], line == on_lines[-1]
    if is_long and not (is_first or is_last):
        return
    start, end = max(line.start, mark.span.start), min(line.end, mark.span.end)
    label = mark.label if is_last else f"{mark.label} from here" if is_long else ""
    label = f"{label} to here" if is_long and is_last else label
    label = label if mark.label else ""
    indent = cell_len(harmless(text[line.start : start]))
    yield f"{' ' * indent}{'^' * max(1, cell_len(harmless(text[start:end])))} {label}".rstrip()


def touches(line: Span, span: Span) -> bool:
    """Whether a span has any of its text on a line; an empty one, whether it stands there."""
    if span.start == span.end:
        return line.start <= span.start <= line.end
    return span.start < line.end and line.start < span.end


def length(mark: Mark) -> int:
    """How long a mark is."""
    return mark.span.end - mark.span.start


def folded(text: str, piece: Span, width: int) -> Iterator[Span]:
    """The lines of a piece of a text, each no wider than `width`, without the ends of lines."""
    start = piece.start
    for line in text[piece.start : piece.end].split("\n"):
        end = start + len(line)
        while cell_len(harmless(text[start:end])) > width:
            cut = fold_at(text, start, width)
            yield Span(start=start, end=cut)
            start = cut
        yield Span(start=start, end=end)
        start = end + 1


def fold_at(text: str, start: int, width: int) -> int:
    """Where to fold a line that is too wide: after its last blank that fits, or where it is full."""
    end, room = start, width
    while (room := room - cell_len(harmless(text[end]))) >= 0:
        end += 1
    blank = text.rfind(" ", start + width // 2, end)
    return blank + 1 if blank >= 0 else max(end, start + 1)


def pieces(text: str, marks: Sequence[Mark], extent: Extent) -> Iterator[Span | str]:
    """The pieces of a text that are shown, and what is said in the place of the others."""
    done = 0
    for shown in shown_spans(text, marks, extent):
        if shown.start > done:
            yield f"… {shown.start - done:,} characters are left out here …"
        yield shown
        done = shown.end


def shown_spans(text: str, marks: Sequence[Mark], extent: Extent) -> list[Span]:
    """What is shown of a text."""
    if len(text) <= extent.max_characters:
        return [Span(start=0, end=len(text))]
    ends = {len(text), *(end for mark in marks for end in (mark.span.start, mark.span.end))}
    shown: list[Span] = []
    for end in sorted(ends | {0} if extent.has_start else ends):
        start, stop = max(0, end - extent.kept), min(len(text), end + extent.kept)
        if shown and start <= shown[-1].end:
            start = shown.pop().start
        shown.append(Span(start=start, end=stop))
    return shown


def shortened(text: str, most: int) -> str:
    """The text, cut to at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
