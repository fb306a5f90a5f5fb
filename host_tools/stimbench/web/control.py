"""Who holds the controls: one page at a time, which can hand them over."""

from __future__ import annotations

from stimbench.bench.actions import ActionError

__all__ = ("Controls",)


class Controls:
    """Pages by number, each with the key of its tab. A page that went has a while to come back."""

    def __init__(self, grace_s: float = 3.0) -> None:
        """Nobody is there yet.

        Args:
            grace_s: for so long the controls wait for a page that was loaded anew.
        """
        self._grace_s = grace_s
        self.keys: dict[int, str] = {}
        self.holder: int | None = None
        """The page that holds them; None if it went, or nobody came yet."""
        self.asking: list[int] = []
        """Pages that asked for them, in order."""
        self._kept_for: tuple[str, float] | None = None

    def came(self, page: int, key: str, now_s: float) -> None:
        """A page has come: it gets the controls if they were its own, or nobody's."""
        self.keys[page] = key
        if self.holder is None and (self._free(now_s) or self._kept_for_key(key)):
            self._hand_to(page)

    def went(self, page: int, now_s: float) -> None:
        """A page has gone."""
        key = self.keys.pop(page, None)
        self.asking = [one for one in self.asking if one != page]
        if self.holder == page and key is not None:
            self.holder = None
            self._kept_for = (key, now_s + self._grace_s)

    def ask(self, page: int) -> None:
        """A page asks for the controls; it is told when it has them."""
        if self.holder == page:
            return
        if page not in self.asking:
            self.asking.append(page)

    def take(self, page: int, now_s: float) -> None:
        """A page takes controls that nobody holds.

        Raises:
            ActionError: somebody does.
        """
        if self.holder == page:
            return
        if self.holder is not None:
            raise ActionError(f"Viewer {self.holder} holds the controls: ask for them.")
        if not (self._free(now_s) or self._kept_for_key(self.keys.get(page, ""))):
            raise ActionError("The controls wait some seconds for the page that held them.")
        self._hand_to(page)

    def give(self, page: int, to: int) -> None:
        """The holder hands them to another page.

        Raises:
            ActionError: it does not hold them, or the other one is not there.
        """
        self.require(page)
        if to not in self.keys:
            raise ActionError(f"There is no viewer {to}.")
        self._hand_to(to)

    def refuse(self, page: int, other: int) -> None:
        """The holder does not hand them over.

        Raises:
            ActionError: it does not hold them.
        """
        self.require(page)
        self.asking = [one for one in self.asking if one != other]

    def require(self, page: int) -> None:
        """ActionError, with the reason, unless the page holds the controls."""
        if self.holder == page:
            return
        if self.holder is None:
            raise ActionError("Nobody holds the controls: take them first.")
        raise ActionError(f"You look on: viewer {self.holder} holds the controls. Ask for them.")

    def _free(self, now_s: float) -> bool:
        return self._kept_for is None or now_s >= self._kept_for[1]

    def _kept_for_key(self, key: str) -> bool:
        return self._kept_for is not None and self._kept_for[0] == key

    def _hand_to(self, page: int) -> None:
        self.holder = page
        self._kept_for = None
        self.asking = [one for one in self.asking if one != page]
