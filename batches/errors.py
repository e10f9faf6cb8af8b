"""Refusals of the work screen, each with a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.kernel.errors import DomainError

if TYPE_CHECKING:
    from batches.models import BatchSetting, MessageTemplate


class TitleChanged(DomainError):
    """The batch was renamed since the page was opened; `current` is how it stands."""

    def __init__(self, current: BatchSetting, database_name: str) -> None:
        self.current = current
        super().__init__(
            _("This batch was renamed to %(title)s since you opened this page.")
            % {"title": current.title or database_name}
        )


class TemplateNameTaken(DomainError):
    """The product has a message of this name, in whatever case."""

    def __init__(self, name: str) -> None:
        super().__init__(_("There is a message called %(name)s already.") % {"name": name})


class TemplateChanged(DomainError):
    """Somebody saved the template since the page was opened; `current` is as they left it."""

    def __init__(self, current: MessageTemplate) -> None:
        self.current = current
        super().__init__(_("Somebody changed this message since you opened this page."))
