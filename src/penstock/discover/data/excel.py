"""Workbooks: Excel and OpenDocument sheets. The library is an extra; packed files are measured before it sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.delimited import is_header, names
from penstock.discover.data.packed import Bomb, measure
from penstock.discover.data.rows import Sample, needs_extra, of_sample, say, unread
from penstock.discover.data.whole import is_cut, opened

#: Sheets of one workbook and rows of one sheet that are read.
_SHEETS, _ROWS = 50, 20_000


@collector(
    "data.excel",
    reads=("*.xlsx", "*.xlsm", "*.xls", "*.xlsb", "*.ods"),
    sees="columns of sheets that hold personal, health, payment or secret data, and how many rows",
    unseen="workbooks with a password; rows behind the first 20,000 of a sheet",
)
def workbook(file: File) -> Iterator[Yielded]:
    """The columns of each sheet; its first filled row is the header."""
    if is_cut(file):
        yield unread(file, "data.excel", "only its first part was read, and what it holds is told at its end", "")
        return
    sample = Sample()
    records = 0
    with opened(file) as content:
        try:
            if content.read(4) == b"PK\x03\x04":
                measure(content)
            content.seek(0)
            for row, more in _rows(content):
                records += more
                if row:
                    sample.add(row)
        except ImportError:
            yield needs_extra(file, "data.excel", "the sheets of a workbook")
            return
        except Bomb as error:
            yield unread(file, "data.excel", str(error), "Look at the file: it may be made to exhaust tools")
            return
        except _errors() as error:
            yield unread(file, "data.excel", f"it does not read as a workbook: {str(error)[:160]}",
                         "Repair it, or take its password off")  # fmt: skip
    if sample.seen:
        yield from say(file, "data.excel", of_sample(sample, records, estimated=records > sample.seen))


def _rows(content: BinaryIO) -> Iterator[tuple[dict[str, str], int]]:
    """Rows of all sheets as column → text, names with their sheet; the number counts rows that are not read."""
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(content)
    single = len(book.sheet_names) == 1
    for sheet_name in book.sheet_names[:_SHEETS]:
        sheet = book.get_sheet_by_name(sheet_name)
        header: list[str] = []
        for number, cells in enumerate(sheet.iter_rows()):
            texts = ["" if cell is None else str(cell) for cell in cells]
            if not any(text.strip() for text in texts):
                continue
            if not header:
                header = [name if single else f"{sheet_name}.{name}" for name in names(texts)]
                if is_header(texts):
                    continue
            if number > _ROWS:
                yield {}, max(0, sheet.total_height - number)
                break
            yield dict(zip(header, texts, strict=False)), 1


def _errors() -> tuple[type[Exception], ...]:
    from python_calamine import CalamineError

    return (CalamineError, OSError, ValueError)
