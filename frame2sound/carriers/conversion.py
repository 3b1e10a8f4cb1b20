"""The whole way from a sound to files of pictures, and back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frame2sound.atomic import atomic_write, check_writable, refuse_inputs
from frame2sound.carriers.colours import Planes
from frame2sound.carriers.page_files import WrittenPictures, check_output, write_pages
from frame2sound.carriers.page_reader import Findings, PictureSound
from frame2sound.carriers.page_writer import draw_pages, page_count
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.picture_files import parameters_beside, read_pictures, sheet_path
from frame2sound.carriers.plan import PageChoice, plan_pages
from frame2sound.carriers.sound_input import SoundInput, open_sound
from frame2sound.carriers.survival import Survival, measure_survival
from frame2sound.carriers.tool import check_command, run_tool
from frame2sound.errors import CarrierError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sound.wav_file import WavSubtype, open_wav


def write_pictures(
    sound_path: Path,
    out: Path,
    choice: PageChoice,
    crf: int | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> WrittenPictures:
    """Write the pictures of a sound: one PNG, a folder of PNGs, or a film.

    Raises
    ------
    CarrierError
        The sound cannot be read, the output cannot be written, or it cannot hold the carrier.
    """
    check_output(out, choice.kind, crf, overwrite=overwrite)
    refuse_inputs(out, [sound_path], CarrierError)
    sound = open_sound(sound_path)
    parameters = plan_pages(sound, choice)
    total = page_count(parameters)

    def pages() -> Iterator[Planes]:
        for number, page in enumerate(draw_pages(sound.blocks(), parameters)):
            yield page
            on_progress(sound_path.name, number + 1, total, "")

    notes = tuple(_notes(sound, choice, crf))
    return write_pages(pages(), out, parameters, crf, notes, overwrite=overwrite)


def write_sound(
    pictures: Path,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> Findings:
    """Write the sound that pictures carry as a WAV: 16 bits for samples, else 24.

    Raises
    ------
    CarrierError
        The pictures cannot be read, carry no sound, or the file cannot be written.
    """
    if out.suffix.lower() != ".wav":
        raise CarrierError(f"got {out}, expected the name of a .wav")
    if not pictures.exists():
        raise CarrierError(f"{pictures} does not exist; expected pictures that carry a sound")
    try:
        sound = PictureSound(read_pictures(pictures), parameters_beside(pictures))
        parameters, done = sound.findings.parameters, 0
        subtype: WavSubtype = "PCM_16" if parameters.kind is Kind.SAMPLES else "PCM_24"
        with (
            atomic_write(out, CarrierError, overwrite=overwrite) as partial,
            open_wav(partial, parameters.sample_rate, parameters.channels, subtype) as file,
        ):
            for block in sound.blocks():
                file.write(np.clip(block, -1, 1))
                done += len(block)
                on_progress(pictures.name, done, parameters.samples, "")
    except ValueError as error:
        raise CarrierError(
            f"{pictures}: {error}; expected pictures that frame2sound to-picture wrote "
            "(frame2sound sonify plays any picture)"
        ) from error
    return sound.findings


@dataclass(frozen=True)
class CarriedSound:
    """A sound that went through a tool for pictures.

    Attributes
    ----------
    pictures, sound : Path
        What the tool wrote, and the sound of it.
    findings : Findings
    survival : Survival
    """

    pictures: Path
    sound: Path
    findings: Findings
    survival: Survival


def carry_through(
    sound_path: Path,
    out: Path,
    command: str,
    choice: PageChoice,
    crf: int | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> CarriedSound:
    """Write the pictures of a sound, run a tool on them, and read the sound that is left.

    What the tool makes is kept as ``out``, with the parameters as `write_pictures` has them, and
    its sound beside it, as ``out`` with ``.wav``.

    Raises
    ------
    CarrierError
        The tool fails, or what it makes carries no sound; else as `write_pictures`.
    """
    words, wav = check_command(command), out.with_name(f"{out.name}.wav")
    check_output(out, choice.kind, crf, overwrite=overwrite)
    check_writable(wav, CarrierError, overwrite=overwrite)
    for path in (out, wav, sheet_path(out)):
        refuse_inputs(path, [sound_path], CarrierError)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".through-") as name:
        given, made = (Path(name) / part / out.name for part in ("given", "made"))
        made.parent.mkdir()
        written = write_pictures(sound_path, given, choice, crf, on_progress=on_progress)
        if not out.suffix:
            made.mkdir()
        run_tool(words, given, made)
        if not sheet_path(made).exists():
            shutil.copy(sheet_path(given), sheet_path(made))
        try:
            findings = write_sound(made, wav, overwrite=overwrite, on_progress=on_progress)
        except CarrierError as error:
            raise CarrierError(str(error).replace(str(made), str(out))) from error
        if out.suffix:
            sheet_path(made).replace(sheet_path(out))
        made.replace(out)
    survival = measure_survival(
        open_sound(sound_path), open_sound(wav), written.parameters.reference_db
    )
    return CarriedSound(out, wav, findings, survival)


def _notes(sound: SoundInput, choice: PageChoice, crf: int | None) -> list[str]:
    notes = []
    if crf is not None and choice.kind is Kind.SPECTRUM and choice.cell == 1:
        notes.append("H.264 mixes the chroma of four pixels; give `cell` 2 or 4 to keep phases")
    if choice.kind is Kind.SAMPLES and not sound.is_16_bit:
        notes.append("its samples are rounded to 16 bits, and clipped at full scale")
    return notes
