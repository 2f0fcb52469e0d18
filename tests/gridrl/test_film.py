import re
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from gridrl.errors import UserError
from gridrl.film import caption, side_by_side, write_film


def moving_square(num_frames, height=60, width=100):
    for number in range(num_frames):
        frame = np.full((height, width, 3), (250, 240, 220), np.uint8)
        frame[: height // 2] = (20, 90, 160)
        left = number * 3 % (width - 10)
        frame[10:20, left : left + 10] = (200, 30, 40)
        yield frame


def read_gif(path):
    """Frames as they are shown, and how long each, in milliseconds."""
    frames, durations = [], []
    with Image.open(path) as picture:
        assert picture.info["loop"] == 0
        for number in range(picture.n_frames):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
            durations.append(picture.info["duration"])
    return np.stack(frames), durations


def read_mp4(path):
    """Frames, decoded by ffmpeg itself, and what it says of the film."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    told = next(line for line in done.stderr.decode().splitlines() if "Video: h264" in line)
    width, height = map(int, re.search(r", (\d+)x(\d+)", told).groups())
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3), told


def test_gif_gives_back_every_pixel(tmp_path):
    path = write_film(moving_square(25), tmp_path / "film.gif", fps=10)
    frames, durations = read_gif(path)
    assert np.array_equal(frames, np.stack(list(moving_square(25))))
    assert durations == [100] * 25
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]


def test_gif_with_255_colours_is_exact_and_with_many_is_near(tmp_path):
    generator = np.random.default_rng(0)
    few = generator.integers(0, 256, (255, 3), dtype=np.uint8)[generator.integers(0, 255, (4, 40, 60))]
    frames, _ = read_gif(write_film(few, tmp_path / "few.gif", fps=5))
    assert np.array_equal(frames, few)

    shades = np.zeros((3, 64, 96, 3), np.uint8)  # 6144 colours in a smooth slope, under a flat area in most of it
    shades[..., 0] = np.linspace(0, 255, 64).astype(np.uint8)[:, None]
    shades[..., 1] = np.linspace(0, 255, 96).astype(np.uint8)
    shades[:, :, :40] = (7, 77, 177)
    for number in range(3):
        shades[number, :5, :5] = 80 * number
    frames, _ = read_gif(write_film(shades, tmp_path / "many.gif", fps=5))
    assert (frames[:, 10:, :40] == (7, 77, 177)).all()
    error = np.abs(frames.astype(int) - shades)
    assert error.mean() < 6
    assert error.max() < 40


def test_gif_shows_repeated_frames_longer(tmp_path):
    first, second = list(moving_square(2))
    frames, durations = read_gif(write_film([first, first, first, second], tmp_path / "still.gif", fps=20))
    assert np.array_equal(frames, [first, second])
    assert durations == [150, 50]


def test_gif_of_one_frame(tmp_path):
    with Image.open(write_film(moving_square(1), tmp_path / "one.gif", fps=20)) as picture:
        assert picture.n_frames == 1
        assert np.array_equal(picture.convert("RGB"), next(moving_square(1)))


def test_gif_of_a_board_is_small(tmp_path):
    generator = np.random.default_rng(1)
    board = np.repeat(np.repeat(generator.integers(180, 250, (10, 20, 3), dtype=np.uint8), 20, axis=0), 20, axis=1)

    def frames():
        for number in range(100):
            frame = board.copy()
            for row, column in ((number // 20, number % 20), (9, 19 - number % 20)):
                frame[row * 20 : row * 20 + 20, column * 20 : column * 20 + 20] = (200, 30, 40)
            yield caption(frame, f"step {number}: return {number * 100}")

    path = write_film(frames(), tmp_path / "board.gif", fps=10)
    assert path.stat().st_size < 300_000


@pytest.mark.parametrize("size", [(60, 100), (61, 101), (33, 18)])
def test_mp4_holds_every_frame_at_even_size(tmp_path, size, capfd, caplog):
    height, width = size
    path = write_film(moving_square(12, height, width), tmp_path / "film.mp4", fps=6)
    frames, told = read_mp4(path)
    assert frames.shape == (12, height + height % 2, width + width % 2, 3)
    assert ", 6 fps" in told
    assert "yuv420p" in told
    want = np.stack(list(moving_square(12, height, width)))
    assert np.abs(frames[:, :height, :width].astype(int) - want).mean() < 8  # lossy, and colour at half size
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_a_failing_film_leaves_the_old_one(tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    path.write_bytes(b"old")

    def frames():
        yield from moving_square(3)
        raise RuntimeError("the environment broke")

    with pytest.raises(RuntimeError, match="the environment broke"):
        write_film(frames(), path, fps=10)
    with pytest.raises(UserError, match=r"the first is 100 x 60 pixels, frame 2 is 100 x 61"):
        write_film([*moving_square(2), *moving_square(1, 61)], path, fps=10)
    with pytest.raises(UserError, match="at least one frame"):
        write_film([], path, fps=10)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_mistakes_are_told_in_a_sentence(tmp_path):
    frames = list(moving_square(2))
    with pytest.raises(UserError, match=r"\.gif or \.mp4, got 'film\.avi'"):
        write_film(frames, tmp_path / "film.avi", fps=10)
    with pytest.raises(UserError, match="there is no folder"):
        write_film(frames, tmp_path / "nowhere" / "film.gif", fps=10)
    with pytest.raises(UserError, match="positive number of frames per second, got 0"):
        write_film(frames, tmp_path / "film.gif", fps=0)
    with pytest.raises(UserError, match=r"frame 0 is float64 \[60, 100, 3\]"):
        write_film([frames[0] / 2], tmp_path / "film.gif", fps=10)
    assert list(tmp_path.iterdir()) == []


def test_what_the_disk_refuses_is_told(tmp_path, monkeypatch):
    (tmp_path / "taken.gif").mkdir()
    with pytest.raises(UserError, match=r"cannot write the film '.*taken\.gif': .*directory"):
        write_film(moving_square(2), tmp_path / "taken.gif", fps=10)
    monkeypatch.setattr(imageio_ffmpeg, "count_frames_and_secs", lambda path: (3, 0.3))
    with pytest.raises(UserError, match=r"cannot write the film '.*film\.mp4': .*is the disk full"):
        write_film(moving_square(4), tmp_path / "film.mp4", fps=10)
    assert [file.name for file in tmp_path.iterdir()] == ["taken.gif"]


def test_caption_keeps_the_frame_and_writes_below_it():
    frame = next(moving_square(1, 80, 300))
    told = caption(frame, "step 12")
    assert np.array_equal(told[:80], frame)
    strip = told[80:]
    assert (strip == 255).mean() > 0.8  # paper
    assert strip.min() < 80  # ink
    assert not np.array_equal(told, caption(frame, "step 13"))
    assert (caption(frame, "")[80:] == 255).all()


def test_captions_of_any_length_have_one_size_and_stay_inside():
    frame = next(moving_square(1, 40, 200))
    for text in ("a", "a caption that is rather too wide for it", "w" * 500, ""):
        told = caption(frame, text)
        assert told.shape == caption(frame, "a").shape
        assert (told[40:, -3:] == 255).all()  # the margin at the right stays free
    assert len(caption(frame, "one\ntwo")) > len(caption(frame, "one"))
    assert len(caption(frame, "one", size=30)) > len(caption(frame, "one", size=12))


def test_side_by_side_centres_and_leaves_gaps():
    low = np.zeros((2, 3, 3), np.uint8)
    high = np.full((4, 2, 3), 9, np.uint8)
    joined = side_by_side([low, high], gap=1)
    assert joined[..., 0].tolist() == [
        [255, 255, 255, 255, 9, 9],
        [0, 0, 0, 255, 9, 9],
        [0, 0, 0, 255, 9, 9],
        [255, 255, 255, 255, 9, 9],
    ]
