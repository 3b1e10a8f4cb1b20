"""Which pictures are pages of a sound, and which page each is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from frame2sound.carriers.colours import Planes
from frame2sound.carriers.locate import find_page
from frame2sound.carriers.page_writer import page_count
from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.yuv_image import YuvImage

MOST_WAITING = 8
"""Pictures without a code that wait for the next one that has one."""


@dataclass(frozen=True)
class Picture:
    """A picture that was read.

    Attributes
    ----------
    rgb : float32 array (height, width, 3), or YuvImage
        0 to 255.
    bits : int
        Of each channel in the file.
    """

    rgb: Planes | YuvImage
    bits: int = 8


@dataclass(frozen=True)
class FoundPage:
    """A page in place.

    Attributes
    ----------
    parameters : CarrierParameters
        Of this page.
    rgb : float32 array (height, width, 3), or YuvImage
    bits : int
        Of each channel in the file.
    has_code : bool
        Whether its own code could be read; else its number is a guess.
    """

    parameters: CarrierParameters
    rgb: Planes | YuvImage
    bits: int
    has_code: bool


class PageSource:
    """Finds the pages of one sound among pictures, in the order in which they come.

    The first picture that has a code says of which sound; without any, the file beside does. Later
    pictures are pages if they have the code of the same sound; or corner marks, where between two
    codes as many such pictures stand as pages lack: more of them are blends that a tool has put
    in between, fewer are strangers' too.

    Parameters
    ----------
    pictures : iterable of Picture
    known : CarrierParameters, optional
        From a file beside the pictures.

    Attributes
    ----------
    first : FoundPage
    unreadable : list of str
        Why pictures were left out so far.

    Raises
    ------
    ValueError
        No picture at the beginning carries a sound that can be read.
    """

    def __init__(self, pictures: Iterable[Picture], known: CarrierParameters | None = None) -> None:
        self._pictures = iter(pictures)
        self.unreadable: list[str] = []
        self._waiting: list[Picture] = []
        first, error = None, "no pictures"
        while first is None and len(self._waiting) < MOST_WAITING:
            picture = next(self._pictures, None)
            if picture is None:
                break
            try:
                first = _found(picture)
            except ValueError as failure:
                error = error if self._waiting else str(failure)
                self._waiting.append(picture)
        self._is_coded = first is not None
        if first is None:
            if known is None or not self._waiting:
                raise ValueError(error)
            first = _found(self._waiting.pop(0), known)
        self.first = first

    def pages(self) -> Iterator[FoundPage]:
        """Yield the first page and those that follow, once."""
        sound, before, begun = self.first.parameters.on_page(0), -1, self.first
        if not self._is_coded:
            before = begun.parameters.page
            yield begun
        self.first = replace(begun, rgb=np.zeros((0, 0, 3), np.float32))
        guessed: list[FoundPage] = []
        for found in self._found_after(sound, [begun] if self._is_coded else []):
            if not found.has_code:
                guessed.append(found)
                if self._is_coded and len(guessed) < MOST_WAITING:
                    continue
            elif len(guessed) != found.parameters.page - before - 1:
                self.unreadable += ["its code cannot be read"] * len(guessed)
                guessed = []
            yield from _numbered(guessed, sound, before)
            before, guessed = before + len(guessed), []
            if found.has_code:
                before = found.parameters.page
                yield found
        lacking = page_count(sound) - before - 1
        yield from _numbered(guessed[: max(lacking, 0)], sound, before)

    def _found_after(self, sound: CarrierParameters, begun: list[FoundPage]) -> Iterator[FoundPage]:
        """Yield the pictures of a sound: those before its first code, it, and those after."""
        waiting, self._waiting = self._waiting, []
        yield from self._found_among(iter(waiting), sound)
        yield from begun
        yield from self._found_among(self._pictures, sound)

    def _found_among(
        self, pictures: Iterator[Picture], sound: CarrierParameters
    ) -> Iterator[FoundPage]:
        for picture in pictures:
            try:
                found = _found(picture, sound, needs_marks=self._is_coded)
            except ValueError as error:
                self.unreadable.append(str(error))
                continue
            if found.parameters.on_page(0) == sound:
                yield found
            else:
                self.unreadable.append("it is of another sound")


def _found(
    picture: Picture, known: CarrierParameters | None = None, *, needs_marks: bool = False
) -> FoundPage:
    parameters, rgb, has_code = find_page(picture.rgb, known, needs_marks=needs_marks)
    return FoundPage(parameters, rgb, picture.bits, has_code)


def _numbered(pages: list[FoundPage], sound: CarrierParameters, before: int) -> Iterator[FoundPage]:
    """Yield pages as those that follow page ``before``."""
    for number, page in enumerate(pages):
        yield replace(page, parameters=sound.on_page(before + 1 + number))
