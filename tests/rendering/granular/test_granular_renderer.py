"""Granular rendering: on time, as loud as its source, the same in any batches."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.frame_rate_hum import frame_rate_hum, line_comb_db, tremolo_comb_db
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.granular.cloud import Cloud, Modulation, parse_cloud
from frame2sound.rendering.granular.grain_schedule import HindleSchedule, OnTimeSchedule
from frame2sound.rendering.granular.granular_renderer import GranularRenderer, TransientDetector
from frame2sound.sound.block_crossfader import BlockCrossfader

RATE = 22050

RICH = Cloud(
    duration=Modulation(0.02, 0.1, "brightness"),
    density=Modulation(50, 400, "loudness"),
    pitch_jitter=2,
    reverse=0.2,
    spread=0.5,
    pan=Modulation(-1, 1, "place"),
    envelope="decay",
)


def cut(sound, clock, frames):
    bounds = clock.sample_bounds(frames)
    padded = np.pad(sound, (0, clock.max_samples_per_frame)).astype(np.float32)
    return np.stack([padded[start : start + clock.max_samples_per_frame] for start in bounds[:-1]])


def still(frames):
    """A grey picture in which nothing moves."""
    return FrameCurves(np.full(frames, 0.5), np.zeros(frames), np.zeros(frames))


def granulated(sound, clock, schedule=None, seed=0, sizes=(), gestures=None):
    """A renderer that was fed sound in batches of the given sizes, and what came out."""
    frames = clock.count_frames_within(Fraction(len(sound), RATE))
    blocks, bounds = cut(sound, clock, frames), clock.sample_bounds(frames)
    seen = still(frames) if gestures is None else gestures(frames)
    granular, pieces = GranularRenderer(BlockCrossfader(0, 0), clock, schedule, seed), []
    for batch in np.split(np.arange(frames), np.cumsum(sizes)[: len(sizes)]):
        if len(batch):
            shown = FrameCurves(seen.brightness[batch], seen.motion[batch], seen.place[batch])
            pieces.append(granular.process(blocks[batch], bounds[batch[0] : batch[-1] + 2], shown))
    return granular, np.concatenate([*pieces, granular.flush()])


def cloud(sound, clock, schedule=None, seed=0, sizes=(), gestures=None):
    return granulated(sound, clock, schedule, seed, sizes, gestures)[1]


def noise(seconds, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * RATE))


def sine(seconds, hz=440.0):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def level_db(sound, reference):
    return 10 * np.log10(np.mean(np.square(sound)) / np.mean(np.square(reference)))


CLOCKS = {str(fps): Clock(Fraction(fps), RATE) for fps in ("10", "24", "24000/1001", "30", "60")}
each_clock = pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)


@each_clock
@pytest.mark.parametrize("settings", [{}, {"pitch": -12, "reverse": 0.5}])
@pytest.mark.parametrize("source", [noise, sine])
def test_sound_comes_out_as_loud_as_it_went_in(clock, settings, source):
    sound = source(4)
    out = cloud(sound, clock, OnTimeSchedule(Cloud(**settings)))
    # A tone through grains is narrow noise, whose level wanders by a decibel.
    assert level_db(out[: len(sound)], sound) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("hz", [50, 63, 80, 100, 125, 160, 200])
def test_bass_keeps_its_level(hz):
    sound = sine(8, hz)
    out = cloud(sound, CLOCKS["24"])[: len(sound)]
    assert level_db(out, sound) == pytest.approx(0, abs=1.5)
    if hz <= 100:
        np.testing.assert_allclose(out[RATE:-RATE], sound[RATE:-RATE], atol=0.02)


@pytest.mark.parametrize("clock", [*CLOCKS.values(), Clock(Fraction(1), RATE)], ids=[*CLOCKS, "1"])
def test_grains_that_read_in_place_give_back_the_sound_up_to_its_end(clock):
    sound = noise(4)
    out = cloud(sound, clock, OnTimeSchedule(Cloud(jitter=0)))
    # Envelopes add up to some 4 and are divided out: a few float32 roundings.
    np.testing.assert_allclose(out[: len(sound)], sound, atol=1e-6)


@each_clock
def test_no_moment_falls_silent(clock):
    out = cloud(noise(4), clock)[: 4 * RATE]
    # Noise in 5 ms: 110 samples, whose RMS wanders by less than a decibel or two of itself.
    blocks = np.sqrt(np.mean(np.square(out.reshape(-1, 105)), axis=1))
    assert blocks.min() > 0.3 * blocks.mean()


@pytest.mark.parametrize("fps", ["24", "24000/1001", "30", "60"])
def test_steady_noise_gets_no_hum_of_the_frame_rate(fps):
    clock, sound = CLOCKS[fps], noise(20).astype(np.float32)
    out = cloud(sound, clock)[: len(sound)]
    assert line_comb_db(out, RATE, clock.fps) < line_comb_db(sound, RATE, clock.fps) + 1
    assert tremolo_comb_db(out, RATE, clock.fps) < tremolo_comb_db(sound, RATE, clock.fps) + 1


@pytest.mark.parametrize("fps", ["24", "30"])
def test_a_held_tone_gets_no_hum_of_the_frame_rate(fps):
    # A tone through grains is narrow noise. Its combs are not the tone's, but those of one that
    # was laid at another frame rate, which cannot hum with this one.
    clock, sound = CLOCKS[fps], sine(40, 330)
    out, other = (cloud(sound, c)[: len(sound)] for c in (clock, Clock(Fraction(17), RATE)))
    assert line_comb_db(out, RATE, clock.fps) < line_comb_db(sound, RATE, clock.fps) + 1
    whole, control = (frame_rate_hum(s, RATE, clock.fps).tremolo["whole"] for s in (out, other))
    assert whole < max(control, 0) + 1


@each_clock
@pytest.mark.parametrize("settings", [{}, {"pitch": 12}, {"jitter": 0.02, "duration": 0.2}])
def test_a_click_at_a_frames_start_passes_untouched(clock, settings):
    at = clock.start_sample(7)
    sound = np.zeros(clock.start_sample(20))
    sound[at] = 0.5
    out = cloud(sound, clock, OnTimeSchedule(Cloud(**settings)))
    np.testing.assert_allclose(out[: len(sound)], sound, atol=1e-6)


@each_clock
def test_an_attack_keeps_its_edge_and_nothing_sounds_before_it(clock):
    at = clock.start_sample(20)
    sound = np.concatenate([0.001 * noise(2)[:at], noise(1, 1)])
    out = cloud(sound, clock)
    edge = slice(at, at + int(0.004 * RATE))
    # Beside it there is only what the cloud plays of the rest: bass that rings around its start.
    assert level_db(out[edge] - sound[edge], sound[edge]) < -30
    assert level_db(out[at - 300 : at], sound[at : at + 300]) < -35


def test_a_sound_that_swells_is_no_attack():
    swell = noise(2) * np.linspace(0, 1, 2 * RATE)
    ear = TransientDetector(RATE)
    attacks, rest = ear.process(
        swell.astype(np.float32), CLOCKS["24"].sample_bounds(48)[1:], last=True
    )
    assert not attacks[RATE // 10 :].any()
    np.testing.assert_allclose(attacks + rest, swell, atol=1e-7)


@pytest.mark.parametrize("fps", [1, 10, 24, 30, 60, 120])
@pytest.mark.parametrize("spray", [1, 0.01])
def test_the_bound_on_peaks_is_stated_as_measured(fps, spray):
    clock = Clock(Fraction(fps), RATE)
    schedule = OnTimeSchedule(Cloud(spray=spray))
    granular, _ = granulated(np.zeros(clock.start_sample(10)), clock, schedule)
    bound = min(spray, clock.max_samples_per_frame / RATE)
    assert 0.5 * bound < granular.max_peak_delay_seconds <= bound
    assert f"{1e3 * granular.max_peak_delay_seconds:.1f} ms" in granular.summary


@pytest.mark.parametrize("cloud", ["spray=0", "spray=0.00001", "spray=0 envelope=decay"])
def test_a_burst_may_begin_a_sample_after_its_frame(cloud):
    clock = Clock(Fraction(30), RATE)
    schedule = OnTimeSchedule(parse_cloud([*cloud.split(), "duration=0.0203"]))
    granular, _ = granulated(noise(1), clock, schedule)
    assert granular.grain_count
    assert granular.max_peak_delay_seconds <= 1.5 / RATE


def test_the_summary():
    granular, _ = granulated(np.zeros(20 * RATE), CLOCKS["24"])
    start, end = granular.summary.split(" ms from their frame, ")
    assert start.startswith("grains at most 41.")
    assert end == f"{granular.grain_count // 1000} {granular.grain_count % 1000:03} grains"
    assert granular.grain_count == pytest.approx(3000, rel=0.02)


def test_a_schedule_that_breaks_its_bound_is_a_defect():
    class Late(OnTimeSchedule):
        def max_peak_delay(self, slice_length, sample_rate):
            return 10

    with pytest.raises(SoundtrackError, match=r"expected at most 0\.0005 s after it"):
        cloud(noise(1), CLOCKS["24"], Late())


def test_every_grain_that_is_counted_can_be_watched():
    frames, clock = 24, CLOCKS["24"]
    granular, seen = GranularRenderer(BlockCrossfader(0, 0), clock), []
    granular.on_grains = seen.append
    granular.process(cut(noise(1), clock, frames), clock.sample_bounds(frames), still(frames))
    granular.flush()
    assert len(seen) == frames
    assert sum(len(grains) for grains in seen) == granular.grain_count


def swinging(frames):
    """The picture goes from dark and left to bright and right, and begins to move."""
    up = np.linspace(0, 1, frames)
    return FrameCurves(up, up, 2 * up - 1)


def test_place_moves_the_sound_from_left_to_right():
    sound = noise(4)
    out = cloud(
        sound,
        CLOCKS["24"],
        OnTimeSchedule(Cloud(pan=Modulation(-1, 1, "place"))),
        gestures=swinging,
    )
    assert out.shape[1] == 2
    early, late = out[: RATE // 2], out[int(3.5 * RATE) : 4 * RATE]
    assert level_db(early[:, 0], early[:, 1]) > 15
    assert level_db(late[:, 1], late[:, 0]) > 15
    assert level_db(out[: len(sound)], sound) + 10 * np.log10(2) == pytest.approx(0, abs=1)


def test_spread_parts_the_channels_and_keeps_the_power():
    sound = noise(4)
    out = cloud(sound, CLOCKS["24"], OnTimeSchedule(Cloud(spread=1)))[: len(sound)]
    assert np.corrcoef(out.T)[0, 1] < 0.8
    assert level_db(out, sound) + 10 * np.log10(2) == pytest.approx(0, abs=1)


def test_density_follows_loudness():
    schedule = OnTimeSchedule(Cloud(density=Modulation(1, 1000, "loudness")))
    loud, quiet = (granulated(g * noise(2), CLOCKS["24"], schedule)[0] for g in (1, 0.001))
    assert loud.grain_count > 5 * quiet.grain_count


@pytest.mark.parametrize(
    "schedule", [OnTimeSchedule(), OnTimeSchedule(Cloud(pitch_jitter=1)), HindleSchedule()]
)
def test_the_seed_decides(schedule):
    sound, clock = noise(1), CLOCKS["24"]
    first = cloud(sound, clock, schedule, seed=1)
    np.testing.assert_array_equal(first, cloud(sound, clock, schedule, seed=1))
    assert not np.allclose(first, cloud(sound, clock, schedule, seed=2), atol=1e-3)


@pytest.mark.parametrize("schedule", [OnTimeSchedule(), OnTimeSchedule(RICH), HindleSchedule()])
@pytest.mark.parametrize("fps", ["24000/1001", "60", "10"])
@pytest.mark.parametrize("seed", range(2))
def test_batches_of_any_size_give_the_same_sound(schedule, fps, seed):
    clock = CLOCKS[fps]
    sound = noise(3) * (np.arange(3 * RATE) % clock.start_sample(5) < clock.start_sample(2))
    sizes = np.random.default_rng(seed).integers(0, 9, 20)
    whole = cloud(sound, clock, schedule, gestures=swinging)
    uneven = cloud(sound, clock, schedule, sizes=sizes, gestures=swinging)
    np.testing.assert_allclose(uneven, whole, atol=1e-6)
    one_by_one = cloud(sound, clock, schedule, sizes=[1] * 30, gestures=swinging)
    np.testing.assert_allclose(one_by_one, whole, atol=1e-6)


@pytest.mark.parametrize("schedule", [OnTimeSchedule(), HindleSchedule()])
def test_silence_gives_silence(schedule):
    assert not cloud(np.zeros(2 * RATE), CLOCKS["24"], schedule).any()


@each_clock
@pytest.mark.parametrize("schedule", [OnTimeSchedule(), HindleSchedule()])
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_it_is_as_long_as_overlap_add_makes_it(clock, schedule, frames):
    bounds = clock.sample_bounds(frames)
    blocks = cut(np.zeros(bounds[-1]), clock, frames)
    granular, join = GranularRenderer(BlockCrossfader(0, 0), clock, schedule), BlockCrossfader(0, 0)
    fed = (granular, still(frames)), (join,)
    lengths = [len(r.process(blocks, bounds, *more)) + len(r.flush()) for r, *more in fed]
    assert lengths == [bounds[-1]] * 2


def test_nothing_fed_gives_nothing():
    assert len(GranularRenderer(BlockCrossfader(0, 0), CLOCKS["24"]).flush()) == 0


def test_what_is_held_does_not_grow():
    clock = CLOCKS["24"]
    granular, sizes = GranularRenderer(BlockCrossfader(0, 0), clock), []
    for i in range(60):
        granular.process(
            np.ones((4, clock.max_samples_per_frame), np.float32),
            clock.sample_bounds(4, 4 * i),
            still(4),
        )
        sizes.append(len(granular._weight) + len(granular._mix.source))
    # A frame has a grain more or less, and the last begins and ends elsewhere in it.
    assert max(sizes[30:]) <= max(sizes[5:30]) + clock.max_samples_per_frame


def test_the_ancestors_cloud_is_as_loud_as_its_source():
    sound = noise(4)
    out = cloud(sound, Clock(Fraction(30), RATE), HindleSchedule())
    # It takes 1.4 s to build up.
    assert level_db(out[2 * RATE : 4 * RATE], sound) == pytest.approx(0, abs=6)
