"""What can be wrong with a file, as one sentence each: what it is and what to do.

Django is imported only to translate: the process that reads the file raises these without it.
"""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Mark for translation; `sentence` translates when it knows the reader's language."""
    return text


class FileProblem(Exception):
    """The file cannot be used. `code` and `detail` say why; `sentence` says it to a person."""

    def __init__(self, code: str, **detail: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code} {self.detail}" if self.detail else self.code


SENTENCES = {
    "changed": _(
        "The file no longer has the columns that were confirmed. Check it again, then import."
    ),
    "damaged": _(
        "This file is damaged or was not uploaded completely. "
        "Open it in your spreadsheet program, save it again and upload the new file."
    ),
    "dangerous": _(
        "This file contains instructions that no customer list needs, so it was not read. "
        "Copy the table into a new workbook, save it as .xlsx and upload that."
    ),
    "disguised": _(
        "The file name ends in .%(extension)s, but the content is %(found)s. "
        "Rename it or save it again in the right format, then upload it."
    ),
    "empty": _("This file is empty. Choose the file that holds the customers."),
    "encrypted": _(
        "This file is protected by a password. Open it, remove the password, save and upload again."
    ),
    "extension": _(
        "Files of this kind cannot be read. Save the list as .xlsx or .csv and upload that."
    ),
    "far_cell": _(
        "A single cell far away from the table (%(address)s) holds something. "
        "Delete everything outside the table, or copy the table into a new workbook."
    ),
    "giant_cell": _(
        "A cell in row %(row)s holds millions of characters. "
        "Delete or shorten it, then upload again."
    ),
    "header_only": _(
        "This file has a header row but no customers below it. Choose the file with the rows."
    ),
    "inflates": _(
        "This file unpacks to far more than a customer list needs, so it was not read. "
        "Copy the table into a new workbook, save it as .xlsx and upload that."
    ),
    "interrupted": _(
        "The server stopped reading this file before its end. Nothing is wrong with the file: "
        "try again."
    ),
    "macros": _(
        "Workbooks with macros are not accepted. Save it as .xlsx (without macros) and upload that."
    ),
    "no_sheet": _(
        "This workbook has no sheet with a table. Put the list on a sheet, save and upload again."
    ),
    "not_a_table": _(
        "This is not a table, whatever its name says. "
        "Save the list as .xlsx or .csv and upload that."
    ),
    "old_excel": _(
        "This workbook comes from a very old Excel. Open it, save it as .xlsx and upload that."
    ),
    "too_complex": _(
        "This file needs more memory than a customer list of a million rows. "
        "Copy the table into a new workbook, or save it as .csv, and upload that."
    ),
    "too_many_columns": _(
        "This table has more than %(limit)s columns. Delete those you do not need and upload again."
    ),
    "too_many_rows": _(
        "This table has more than %(limit)s rows. Split it into several files and upload each."
    ),
    "too_slow": _(
        "Reading this file takes too long. Save it as .csv and upload that, or split it."
    ),
    "unclosed_quote": _(
        "In row %(row)s a quotation mark opens and never closes, so the rows after it cannot be "
        "told apart. Correct that row, or save the list as .xlsx, and upload again."
    ),
    "unreadable": _(
        "This file could not be read. Open it in your spreadsheet program, save it as .xlsx "
        "and upload that."
    ),
    "web_page": _(
        "This is a web page, not a spreadsheet. Open it in your spreadsheet program, save it as "
        ".xlsx and upload that."
    ),
    "xml_spreadsheet": _(
        "This is an XML spreadsheet of Excel 2003. Open it, save it as .xlsx and upload that."
    ),
}

CONTENTS = {
    "csv": _("plain text (.csv)"),
    "ods": _("an OpenDocument workbook (.ods)"),
    "xls": _("an old Excel workbook (.xls)"),
    "xlsb": _("a binary Excel workbook (.xlsb)"),
    "xlsx": _("an Excel workbook (.xlsx)"),
}


def sentence(code: str, detail: Mapping[str, str | int] | None = None) -> str:
    """Say in the reader's language what is wrong with the file and what to do about it."""
    from django.utils.translation import gettext

    from crm.kernel.templatetags.formats import thousands

    values = dict(detail or {})
    if "limit" in values:
        values["limit"] = thousands(values["limit"])
    if "found" in values:
        values["found"] = gettext(CONTENTS.get(str(values["found"]), str(values["found"])))
    text = gettext(SENTENCES.get(code, SENTENCES["unreadable"]))
    try:
        return text % values
    except (KeyError, ValueError):  # kept from an older version, without this detail
        return gettext(SENTENCES["unreadable"])
