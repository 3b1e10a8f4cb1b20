"""The numbers of motion, from pictures whose motion is known."""

import cv2
import numpy as np
import pytest

from frame2sound.brain.motion import (
    FEATURE_COUNT,
    FLOW_SIZE,
    GAP_MEMORY,
    MAX_EQUAL_DIFFERENCE,
    MAX_GAP_FRAMES,
    MOTION_NUMBERS,
    PAST_PICTURES,
    Motion,
    MotionContext,
    MotionScale,
    MotionStream,
    rescale_features,
)

SIDE, RADIUS = 64, 9.0
ENLARGED = FLOW_SIZE / SIDE
"""Flow is in pixels of the enlarged picture."""

DISC_SHARE = np.pi * RADIUS**2 / SIDE**2
FLOW_NUMBERS = [
    MOTION_NUMBERS.index(name)
    for name in ("speed", "largest speed", "deceleration", "divergence", "downward speed",
                 "camera speed", "local deceleration", "local acceleration", "reversal")
]  # fmt: skip


def texture(seed, size=160):
    """A field of smooth spots of about four pixels."""
    noise = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return (127 + smooth * (45 / smooth.std())).clip(0, 255).astype(np.uint8)


GROUND = texture(1)[:SIDE, :SIDE] // 2


def disc_at(x, y, ground=GROUND):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    cover = np.clip(RADIUS - np.hypot(columns - x, rows - y) + 0.5, 0, 1)
    return np.round(ground * (1 - cover) + 230 * cover).astype(np.uint8)


def moving_disc(speed, direction, count=8):
    """A light disc on spots, which passes the middle of the picture at a speed in pixels."""
    steps = (np.arange(count) - (count - 1) / 2) * speed
    return np.stack([disc_at(32 + direction[0] * at, 32 + direction[1] * at) for at in steps])


def panned(across, down, count=8):
    """Spots that all move by as many pixels a frame."""
    spots = texture(5)
    return np.stack([spots[50 - down * k :, 50 - across * k :][:SIDE, :SIDE] for k in range(count)])


def measure(frames, chunk=1000):
    stream = MotionStream()
    return Motion.concatenate(
        [stream.process(frames[at : at + chunk]) for at in range(0, len(frames), chunk)]
    )


def number(motion, name):
    return motion.numbers[:, MOTION_NUMBERS.index(name)]


@pytest.mark.parametrize("speed", [1, 2, 3])
@pytest.mark.parametrize("direction", [(0, 1), (0, -1), (1, 0)], ids=["down", "up", "across"])
def test_a_disc_has_the_speed_at_which_it_moves(speed, direction):
    motion = measure(moving_disc(speed, direction))
    least = DISC_SHARE * ENLARGED * speed
    found = float(number(motion, "speed")[2:].mean())
    # The patches of the flow take what they touch along: it is of a disc that is larger by up to 8
    # of the enlarged picture's pixels, twice the area.
    assert least < found < 2.2 * least
    down = number(motion, "downward speed")[2:].mean()
    assert down == pytest.approx(found * direction[1], abs=0.15 * found)
    assert number(motion, "largest speed")[2:].mean() == pytest.approx(ENLARGED * speed, rel=0.4)
    assert number(motion, "camera speed").max() < 0.1 * ENLARGED * speed


@pytest.mark.parametrize(("across", "down"), [(1, 0), (2, 1), (0, 3)])
def test_a_camera_has_its_speed_and_nothing_else_moves(across, down):
    motion = measure(panned(across, down))
    speed = ENLARGED * np.hypot(across, down)
    np.testing.assert_allclose(number(motion, "camera speed")[1:], speed, rtol=0.1)
    assert number(motion, "speed").max() < 0.1 * speed
    assert np.abs(number(motion, "downward speed")).max() < 0.1 * speed


def test_changes_of_grey_are_exact():
    first = np.full((SIDE, SIDE), 100, np.uint8)
    second, third = first.copy(), first.copy()
    second[:32] += 40
    third[:32] += 40
    third[32:48] -= 20
    motion = measure(np.stack([first, second, third]))
    assert number(motion, "change").tolist() == [0, 20, 5]
    assert number(motion, "change rises").tolist() == [0, 20, 0]
    assert number(motion, "change falls").tolist() == [0, 0, 15]
    assert number(motion, "largest change").tolist() == [0, 40, 20]
    assert number(motion, "lighter minus darker").tolist() == [0, 20, -5]
    assert number(motion, "brightness rises").tolist() == [0, 20, -5]


def test_what_stops_decelerates_and_what_turns_reverses():
    heights = [14, 18, 22, 26, 30, 34, 34, 34.5]
    stopping = measure(np.stack([disc_at(32, y) for y in heights]))
    turning = measure(np.stack([disc_at(32, y) for y in [14, 18, 22, 26, 30, 34, 30, 26]]))
    for name in ("deceleration", "local deceleration"):
        # The picture at which the disc stands is not new; the one after moves by half a pixel.
        assert number(stopping, name).argmax() == 7
    assert number(turning, "reversal").argmax() == 6
    assert number(turning, "reversal")[6] > 5 * number(turning, "reversal")[2:6].max()
    assert number(turning, "local acceleration")[2:].argmax() == 6 - 2


def test_what_grows_diverges():
    rows, columns = np.mgrid[:SIDE, :SIDE] - 31.5
    spots = texture(2).astype(np.float32)

    def zoomed(factor):
        at = [(80 + axis / factor).astype(np.float32) for axis in (columns, rows)]
        return cv2.remap(spots, *at, cv2.INTER_LINEAR).astype(np.uint8)

    grows = measure(np.stack([zoomed(1.03**k) for k in range(6)]))
    shrinks = measure(np.stack([zoomed(1.03**-k) for k in range(6)]))
    assert (number(grows, "mean divergence")[1:] > 0.1).all()
    assert (number(shrinks, "mean divergence")[1:] < -0.1).all()


@pytest.mark.parametrize("noise", [0, MAX_EQUAL_DIFFERENCE])
def test_a_picture_that_is_shown_again_is_not_new(noise):
    pictures = np.repeat(moving_disc(2, (0, 1), 6), 2, axis=0).astype(np.int64)
    pictures[1::2] += noise
    motion = measure(pictures.clip(0, 255).astype(np.uint8))
    assert motion.is_new.tolist() == [True, False] * 6
    assert (motion.numbers[1::2] == 0).all()
    assert (motion.gap_frames[1::2] == 0).all()
    assert motion.gap_frames[2::2].tolist() == [2] * 5


def test_one_pixel_that_changes_by_more_than_coding_noise_is_a_new_picture():
    frames = np.stack([GROUND, GROUND])
    frames[1, 20, 20] += MAX_EQUAL_DIFFERENCE + 1
    assert measure(frames).is_new.tolist() == [True, True]


def test_a_film_of_15_pictures_a_second_has_half_the_speed_on_a_clock_of_30():
    pictures = moving_disc(2, (0, 1))
    once, twice = measure(pictures), measure(np.repeat(pictures, 2, axis=0))
    # The first gap is that of the first picture, which nothing precedes.
    for name in ("change", "speed", "camera speed", "lighter minus darker", "divergence"):
        np.testing.assert_allclose(
            number(twice, name)[2::2], number(once, name)[1:] / 2, rtol=1e-3, atol=1e-4
        )


def test_pictures_of_25_a_second_are_all_equally_far_apart_on_a_clock_of_30():
    pictures = moving_disc(1, (0, 1), 40)
    shown = np.arange(48) * 25 // 30
    motion = measure(pictures[shown])
    gaps = motion.gap_frames[motion.is_new]
    assert len(gaps) == 40
    # Gaps are 1, 1, 1, 1 and 2 frames in turn: 1.2 in the mean, 7/6 or 8/6 over six.
    assert GAP_MEMORY == 6
    assert set(np.round(gaps[GAP_MEMORY + 1 :] * 6)) == {7, 8}
    assert gaps[GAP_MEMORY + 1 :].sum() == pytest.approx(33 * 1.2, rel=0.03)


def test_a_picture_that_stood_for_long_counts_as_having_stood_eight_frames():
    frames = np.stack([GROUND] * 30 + [disc_at(32, 32)])
    motion = measure(frames)
    assert motion.is_new.nonzero()[0].tolist() == [0, 30]
    assert motion.gap_frames[30] == MAX_GAP_FRAMES == 8
    size = np.abs(frames[30].astype(np.float64) - frames[0]).mean()
    assert number(motion, "change")[30] == pytest.approx(size / 8, rel=1e-6)


def test_the_first_picture_and_those_after_a_cut_have_no_motion():
    frames = np.concatenate(
        [panned(1, 0, 4), 255 - texture(9)[None, :SIDE, :SIDE], panned(1, 0, 1)]
    )
    motion = measure(frames)
    assert motion.is_new.all()
    assert (motion.numbers[[0, 4, 5]] == 0).all()
    assert (number(motion, "camera speed")[1:4] > 1).all()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_flash_of_a_plain_screen_is_no_cut(grey):
    frames = np.stack([GROUND, np.full_like(GROUND, grey), GROUND])
    change = np.abs(GROUND.astype(np.float64) - grey).mean()
    np.testing.assert_allclose(number(measure(frames), "change"), [0, change, change], rtol=1e-6)


def test_an_inverted_picture_is_no_cut():
    spots = texture(3)[:SIDE, :SIDE]
    assert number(measure(np.stack([spots, 255 - spots])), "change")[1] > 25


def test_the_motion_of_an_inverted_film_is_the_same():
    frames = moving_disc(2, (0, 1), 10)
    film, inverted = measure(frames), measure(255 - frames)
    # The flow's own rounding differs by about a hundredth of a pixel.
    np.testing.assert_allclose(
        inverted.numbers[:, FLOW_NUMBERS], film.numbers[:, FLOW_NUMBERS], atol=0.05
    )
    for name in ("change", "change falls", "change rises", "largest change"):
        np.testing.assert_array_equal(number(inverted, name), number(film, name))
    for name in ("lighter minus darker", "brightness rises"):
        np.testing.assert_allclose(number(inverted, name), -number(film, name), atol=1e-4)


@pytest.mark.parametrize("chunk", [1, 5, 7])
def test_chunks_do_not_matter(chunk):
    frames = np.repeat(moving_disc(2, (1, 0), 12), [1, 2, 1, 1, 3, 1, 2, 1, 1, 1, 9, 1], axis=0)
    whole, parts = measure(frames), measure(frames, chunk)
    np.testing.assert_array_equal(parts.is_new, whole.is_new)
    np.testing.assert_array_equal(parts.gap_frames, whole.gap_frames)
    np.testing.assert_array_equal(parts.numbers, whole.numbers)
    assert len(whole.select(slice(3, 8))) == 5


def test_no_frames_have_no_motion():
    motion = MotionStream().process(np.zeros((0, SIDE, SIDE), np.uint8))
    assert len(motion) == 0
    assert motion.numbers.shape == (0, len(MOTION_NUMBERS))


def motion_of(numbers, is_new=None):
    numbers = np.asarray(numbers, np.float32)
    count = len(numbers)
    is_new = np.ones(count, np.bool_) if is_new is None else np.asarray(is_new)
    return Motion(is_new, np.ones(count), numbers)


def random_motion(count, seed=0):
    sizes = np.random.default_rng(seed).lognormal(0, 1, (count, len(MOTION_NUMBERS)))
    return motion_of(sizes * np.geomspace(0.01, 100, len(MOTION_NUMBERS)))


def test_the_scale_is_the_95th_percentile_within_a_bin():
    motion, scale = random_motion(500), MotionScale()
    scale.observe(motion.select(slice(0, 123)))
    scale.observe(motion.select(slice(123, 500)))
    exact = np.percentile(np.abs(motion.numbers), 95, axis=0, method="inverted_cdf")
    # Half of one of 50 bins in a decade is 2.3 %.
    np.testing.assert_allclose(scale.values, exact, rtol=10 ** (0.5 / 50) - 1 + 1e-6)


def test_the_scale_knows_no_sign_and_only_new_pictures():
    motion = random_motion(200)
    scale, same = MotionScale(), MotionScale()
    scale.observe(motion)
    is_new = np.arange(400) % 2 == 0
    numbers = np.repeat(-motion.numbers, 2, axis=0)
    numbers[1::2] = 1e6
    same.observe(motion_of(numbers, is_new))
    np.testing.assert_array_equal(same.values, scale.values)


def test_the_scale_of_a_film_that_stands_is_the_smallest():
    scale = MotionScale()
    np.testing.assert_array_equal(scale.values, 1.0)  # nothing is known yet
    scale.observe(motion_of(np.zeros((20, len(MOTION_NUMBERS)))))
    np.testing.assert_array_equal(scale.values, MotionScale.SMALLEST)


def test_features_are_the_pictures_oldest_first():
    count, width = 9, len(MOTION_NUMBERS)
    numbers = np.arange(1.0, count + 1)[:, None] * np.where(np.arange(width) % 2, -1, 1)
    features = MotionContext().process(motion_of(numbers), np.full(width, 2.0))
    assert features.shape == (count, FEATURE_COUNT)
    shaped = features.reshape(count, PAST_PICTURES + 1, width)
    for at in range(count):
        for slot in range(PAST_PICTURES + 1):
            picture = at - PAST_PICTURES + slot
            value = np.log1p(3 * (picture + 1) / 2) if picture >= 0 else 0.0
            np.testing.assert_allclose(shaped[at, slot, ::2], value, rtol=1e-6)
            np.testing.assert_allclose(shaped[at, slot, 1::2], -value, rtol=1e-6)


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_features_do_not_depend_on_chunks_and_skip_repeats(chunk):
    new, scale = random_motion(20), np.linspace(0.5, 2, len(MOTION_NUMBERS))
    whole = MotionContext().process(new, scale)
    is_new = np.arange(40) % 2 == 0
    shown, context = motion_of(np.repeat(new.numbers, 2, axis=0), is_new), MotionContext()
    parts = [context.process(shown.select(slice(at, at + chunk)), scale)
             for at in range(0, 40, chunk)]  # fmt: skip
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("factor", [0.35, 1.0, 2.5])
def test_rescaled_features_are_those_of_enlarged_motion(factor):
    motion, scale = random_motion(20), np.ones(len(MOTION_NUMBERS))
    enlarged = motion_of(motion.numbers.astype(np.float64) * factor)
    np.testing.assert_allclose(
        rescale_features(MotionContext().process(motion, scale), factor),
        MotionContext().process(enlarged, scale),
        rtol=1e-5,  # of single precision
        atol=1e-12,
    )
