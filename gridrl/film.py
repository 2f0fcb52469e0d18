"""Frames to a film: an animated GIF or an MP4, and the caption under a frame."""

import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gridrl.errors import UserError

Frame = NDArray[np.uint8]  # [H, W, 3]

_PAPER = 255
_INK = (31, 41, 55)


def write_film(frames: Iterable[Frame], path: str | os.PathLike[str], fps: float) -> Path:
    """Write frames, uint8 [H, W, 3] all of one size, to a `.gif` (loops for ever) or `.mp4`; return the path.

    The file appears whole or not at all. A GIF counts time in hundredths of a second and shows at most 50 frames a
    second; frames that repeat are stored once and shown longer. An MP4 needs even sides: an odd one is grown by a
    pixel. Raises UserError for another suffix, a missing folder, no frames, or frames that differ in size.
    """
    path = Path(path)
    write = {".gif": _write_gif, ".mp4": _write_mp4}.get(path.suffix.lower())
    if write is None:
        raise UserError(f"a film is written as .gif or .mp4, got '{path.name}': choose one of these endings")
    if not path.parent.is_dir():
        raise UserError(f"cannot write '{path}': there is no folder '{path.parent}'; make it first")
    if not 0 < fps < float("inf"):
        raise UserError(f"a film needs a positive number of frames per second, got {fps}")
    try:
        # A folder of its own keeps the suffix, by which ffmpeg knows what to write, and lies on the same disk.
        with tempfile.TemporaryDirectory(prefix=".film-", dir=path.parent) as folder:
            unfinished = Path(folder, f"film{path.suffix.lower()}")
            write(_checked(frames), unfinished, fps)
            os.replace(unfinished, path)
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise UserError(f"cannot write the film '{path}': {reason}") from error
    return path


def caption(frame: Frame, text: str, *, size: int | None = None) -> Frame:
    """Put a strip of text under a frame [H, W, 3]; return [H + strip, W, 3].

    The strip's height depends on the frame's width, `size` (pixels) and the number of lines alone, so that captions of
    any length fit one film: a line that is too wide is set smaller, and cut short with "..." where that is not enough.
    """
    width = frame.shape[1]
    size = size or min(max(width // 26, 12), 26)
    lines = text.split("\n")
    pitch, margin = round(size * 1.4), round(size * 0.45)
    strip = Image.new("RGB", (width, pitch * len(lines) + 2 * margin), (_PAPER,) * 3)
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(lines):
        line, font = _fit(draw, line, width - 2 * margin, size)
        draw.text((margin, margin + pitch * (number + 0.5)), line, font=font, fill=_INK, anchor="lm")
    return np.concatenate([frame, np.asarray(strip)])


def side_by_side(frames: Sequence[Frame], gap: int = 12) -> Frame:
    """Join frames [H, W, 3] in one row with `gap` pixels of white between; lower ones are centred upright."""
    height = max(len(frame) for frame in frames)
    width = sum(frame.shape[1] for frame in frames) + gap * (len(frames) - 1)
    joined = np.full((height, width, 3), _PAPER, np.uint8)
    left = 0
    for frame in frames:
        top = (height - len(frame)) // 2
        joined[top : top + len(frame), left : left + frame.shape[1]] = frame
        left += frame.shape[1] + gap
    return joined


def _fit(draw: ImageDraw.ImageDraw, line: str, width: int, size: int) -> tuple[str, ImageFont.FreeTypeFont]:
    smallest = min(size, 10)
    for points in range(size, smallest - 1, -1):
        font = _font(points)
        if draw.textlength(line, font=font) <= width:
            return line, font
    while line and draw.textlength(line + "...", font=font) > width:
        line = line[:-1]
    return line.rstrip() + "...", font


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels all hold FreeType
    return font


def _checked(frames: Iterable[Frame]) -> Iterator[Frame]:
    shape = None
    for number, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise UserError(f"a frame is uint8 [H, W, 3], but frame {number} is {frame.dtype} {list(frame.shape)}")
        shape = shape or frame.shape
        if frame.shape != shape:
            raise UserError(
                f"all frames of a film have one size: the first is {shape[1]} x {shape[0]} pixels, "
                f"frame {number} is {frame.shape[1]} x {frame.shape[0]}"
            )
        yield frame
    if shape is None:
        raise UserError("a film needs at least one frame, got none")


def _write_gif(frames: Iterator[Frame], path: Path, fps: float) -> None:
    # The palette must be known before the first frame is written, and one palette for all keeps what does not move
    # equal from frame to frame, so that only the rest is stored. Flat pictures pack to a few percent meanwhile.
    packed: list[bytes] = []
    seen: Counter[int] = Counter()
    for frame in frames:
        height, width, _ = frame.shape
        red, green, blue = np.moveaxis(frame.astype(np.uint32), 2, 0)
        codes = red << 16 | green << 8 | blue
        packed.append(zlib.compress(codes.tobytes(), 1))
        colours, counts = np.unique(codes, return_counts=True)
        seen.update(dict(zip(colours.tolist(), counts.tolist(), strict=True)))
    colours = np.array(sorted(seen), np.uint32)
    palette = _palette(seen)
    index_of = _nearest(_rgb(colours), _rgb(palette)).astype(np.uint8)

    def pictures() -> Iterator[Image.Image]:
        for data in packed:
            codes = np.frombuffer(zlib.decompress(data), np.uint32)
            picture = Image.frombytes("P", (width, height), index_of[np.searchsorted(colours, codes)].tobytes())
            picture.putpalette(table)
            yield picture

    # One colour more, which no frame uses: it stands for "as before".
    unused = next(code for code in range(257) if code not in seen)
    table = _rgb(np.append(palette, np.uint32(unused))).astype(np.uint8).tobytes()
    rest = pictures()
    next(rest).save(
        path,
        save_all=True,
        append_images=rest,
        palette=table,
        transparency=len(palette),
        optimize=True,
        duration=10 * max(2, round(100 / fps)),
        loop=0,
    )


def _palette(seen: Counter[int]) -> NDArray[np.uint32]:
    if len(seen) <= 255:
        return np.array(sorted(seen), np.uint32)
    # Flat areas keep their exact colour; the many blends at edges share what is left.
    by_use = [colour for colour, _ in seen.most_common()]
    exact, blends = by_use[:128], np.array(by_use[128:], np.uint32)
    row = Image.fromarray(_rgb(blends).astype(np.uint8)[None])
    shared = row.quantize(127, method=Image.Quantize.MAXCOVERAGE, kmeans=3).convert("RGB")  # rare colours, too
    red, green, blue = np.asarray(shared, np.uint32)[0].T
    return np.union1d(np.array(exact, np.uint32), red << 16 | green << 8 | blue)


def _rgb(codes: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.int32)


def _nearest(colours: NDArray[np.int32], palette: NDArray[np.int32]) -> NDArray[np.intp]:
    nearest = np.empty(len(colours), np.intp)
    for first in range(0, len(colours), 2048):  # a block's distances take 6 MB
        difference = colours[first : first + 2048, None] - palette
        nearest[first : first + 2048] = np.argmin(np.square(difference).sum(axis=2), axis=1)
    return nearest


def _write_mp4(frames: Iterator[Frame], path: Path, fps: float) -> None:
    import imageio_ffmpeg  # type: ignore[import-untyped]  # only here: it looks for its program when it is imported

    first = next(frames)
    height, width, _ = first.shape
    odd = ((0, height % 2), (0, width % 2), (0, 0))  # yuv420p halves both sides
    # Flat pictures with sharp edges: a fine quality costs little. The index in front lets browsers start at once.
    settings = ["-crf", "18", "-preset", "medium", "-movflags", "+faststart"]
    writer = imageio_ffmpeg.write_frames(
        path,
        (width + width % 2, height + height % 2),
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=1,
        output_params=settings,
        ffmpeg_log_level="error",
    )
    writer.send(None)
    count = 0
    try:
        for frame in chain([first], frames):
            count += 1
            writer.send(np.ascontiguousarray(np.pad(frame, odd, mode="edge")))
    finally:
        writer.close()
    # ffmpeg's exit code is not handed on, and a disk that fills up leaves a broken file: count what is there.
    if imageio_ffmpeg.count_frames_and_secs(path)[0] != count:
        raise OSError("ffmpeg could not finish it; is the disk full?")
