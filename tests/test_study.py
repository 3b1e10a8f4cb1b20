"""The study: its laws draw what their truth says, its arms are alike, its analysis adds up."""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import input_size
from frame2sound.brain.networks import build_network
from frame2sound.brain.recipe import load_recipe, recipe_table
from frame2sound.brain.targets import build_target
from frame2sound.errors import ComparisonError, DivergedError, TrainingError
from frame2sound.film.drawing.demo_films import load_program
from frame2sound.film.drawing.scene import SILENCE_DB

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

import study_analysis  # noqa: E402
import study_cells  # noqa: E402
import study_design  # noqa: E402
import study_page  # noqa: E402
import study_picture  # noqa: E402
import study_power  # noqa: E402
import study_results  # noqa: E402
from study_analysis import DISTANCE, ENVELOPE, Mean  # noqa: E402
from study_results import NO_SEED, Row  # noqa: E402

sys.path.remove(str(BENCHMARKS))

FPS, SMALL = Fraction(30), (64, 48)
TINY_RATE = 8000
CIRCLE = "{http://www.w3.org/2000/svg}circle"


def scene_of(law, seconds=6.0, seed=1):
    return study_design.load_law(
        law, seconds=seconds, seed=seed, fps=FPS, size=SMALL, sample_rate=TINY_RATE
    )


def program_of(law):
    return load_program(study_design.FOLDER / "laws" / f"{law}.py")


# Laws


@pytest.mark.parametrize("law", study_design.NEW_LAWS)
def test_a_law_is_a_function_of_its_seed_and_begins_to_sound_at_its_onsets(law):
    scene, again, other = scene_of(law), scene_of(law), scene_of(law, seed=2)
    sound = scene.synthesise(0, scene.sample_count)
    parts = [again.synthesise(at, min(at + 7001, len(sound))) for at in range(0, len(sound), 7001)]
    np.testing.assert_array_equal(np.concatenate(parts), sound)
    assert not np.array_equal(other.synthesise(0, len(sound)), sound)
    np.testing.assert_array_equal(scene.draw(50), again.draw(50))
    assert 0.1 < np.abs(sound).max() < 0.7
    first = scene.truth.onsets[0]
    assert not sound[: max(0, int((first - 0.02) * TINY_RATE))].any()  # rain swells from a grid
    after = sound[int(first * TINY_RATE) : int((first + 0.5) * TINY_RATE)]
    assert np.abs(after).max() > 0.003


def test_windows_are_dark_exactly_in_silence():
    scene = scene_of("windows", 8)
    idle = scene.draw(0)
    loud = np.array(scene.truth.loudness_db)[::3] > SILENCE_DB
    lit = np.array([not np.array_equal(scene.draw(frame), idle) for frame in range(0, 240, 3)])
    assert lit.any()
    assert not lit.all()
    np.testing.assert_array_equal(lit, loud)


def test_thunder_outlives_its_flash():
    scene = scene_of("thunder", 9)
    dark = scene.draw(0)
    since = [min([f - on for on in scene.onsets if on <= f], default=99) for f in range(270)]
    flash = program_of("thunder").FLASH_FRAMES
    for frame in range(0, 270, 5):
        assert np.array_equal(scene.draw(frame), dark) == (since[frame] >= flash)
    loudness = np.array(scene.truth.loudness_db)
    rolling = [loudness[on + 24] for on in scene.onsets if on + 24 < 270]
    assert min(rolling) > -60


def test_a_pendulum_sounds_where_it_hangs_straight_down():
    pendulum = program_of("pendulum")
    swings = pendulum._swings(6.0, 1)
    passings = [at for swing in swings for at in swing.passings() if at < 6]
    np.testing.assert_allclose(scene_of("pendulum").truth.onsets, passings)
    for swing in swings:
        angles = [swing.angle_at(at) for at in swing.passings()]
        np.testing.assert_allclose(angles, 0, atol=1e-12)
        assert swing.stop - swing.start == pytest.approx(
            swing.halves * pendulum.PERIODS[swing.string] / 2
        )


def test_a_roll_sounds_while_a_note_is_under_the_bar():
    notes = program_of("roll")._notes(180, 120, 30.0, 1)
    under = np.zeros(180, bool)
    for note in notes:
        under[note.start : note.stop] = True
        assert note.start // 120 == (note.stop - 1) // 120  # on one page
    loud = np.array(scene_of("roll").truth.loudness_db) > SILENCE_DB
    np.testing.assert_array_equal(loud, under)


def test_an_eclipse_is_as_loud_as_discs_overlap():
    overlap, (large, small) = program_of("eclipse").overlap, program_of("eclipse").RADII
    y, x = np.mgrid[-110:110:0.5, -110:110:0.5]
    inside = np.hypot(x, y) < large
    for distance in (0.0, 10.0, 30.0, 60.0, 100.0, 120.0):
        second = np.hypot(x - distance, y) < small
        share = (inside & second).sum() / (np.pi * small**2 / 0.25)
        if distance <= 110 - small:
            assert overlap(np.array([distance]))[0] == pytest.approx(share, abs=0.003)
    assert overlap(np.array([large + small, 0.0])).tolist() == [0, 1]


def test_a_curtain_hides_the_blow():
    scene, curtain = scene_of("curtain", 8), program_of("curtain")
    visits = [each for each in curtain._visits(8.0, 1) if each.strike < 8]
    assert scene.truth.onsets == tuple(visit.strike for visit in visits)
    gone = [v for v in visits if all(abs(v.strike - o.strike) > 2.4 for o in visits if o != v)]
    empty = [
        scene.draw(round(visit.strike * 30))
        for visit in visits
        if all(
            other is visit or abs(visit.strike - other.strike) > other.duration for other in visits
        )
    ]
    assert len(empty) > 2 or gone
    for picture in empty[1:]:
        np.testing.assert_array_equal(picture, empty[0])


def test_rain_is_silent_without_streaks_and_hisses_with_many():
    scene = scene_of("rain", 8)
    dry = scene.draw(0)
    light = np.array([float(scene.draw(frame).mean() - dry.mean()) for frame in range(0, 240, 6)])
    loudness = np.array(scene.truth.loudness_db)[::6]
    amplitude = 10 ** (loudness / 20)
    assert not light[loudness == SILENCE_DB].any()
    assert np.corrcoef(light, amplitude)[0, 1] > 0.6


# Arms


def weights_of(recipe):
    target = build_target(recipe, 1.0)
    with torch.device("meta"):
        network = build_network(recipe, input_size(recipe.input), target.length)
    return sum(part.numel() for part in network.parameters() if part.requires_grad)


def test_arms_of_a_comparison_have_as_many_weights():
    design = study_design.study()
    found = {arm: weights_of(design.recipe(arm)) for arm in study_design.ARMS}
    plan = (study_design.FOLDER / "PLAN.md").read_text(encoding="utf-8")
    for count in found.values():
        assert f"{count:,}".replace(",", " ") in plan
    for ours, theirs in (("wide", "deep"), ("wide past", "deep past"), ("memory", "deep past")):
        assert found[ours] == pytest.approx(found[theirs], rel=0.01)
    assert Brain.untrained(study_design.study().recipe("shallow"), 1.0, 0).recipe is not None


def test_one_layer_has_the_weights_of_three_as_the_page_on_comparing_says():
    page = (BENCHMARKS.parent / "docs" / "how-to" / "comparing.md").read_text(encoding="utf-8")
    for settings in ([], ["network.hidden=[711]"]):
        count = Brain.untrained(load_recipe("deep", settings), 1.0, 0).parameter_count
        assert f"{count:,}".replace(",", " ") in page


def test_arms_differ_in_nothing_but_what_they_name():
    design = study_design.study()
    base = recipe_table(design.recipe("deep"))
    for arm, settings in study_design.ARMS.items():
        named = {part.split("=")[0] for part in settings}
        table = recipe_table(design.recipe(arm))
        for section in ("input", "network", "target", "training", "clock", "events"):
            for key, value in table[section].items():
                if f"{section}.{key}" not in named and key in base[section]:
                    assert base[section][key] == value, (arm, section, key)


def test_films_have_seeds_of_their_own():
    films = study_design.study().films
    seeds = [seed for film in films for seed in (film.learned_seed, film.judged_seed)]
    assert len(films) == 24
    assert len(set(seeds)) == 48
    assert len({film.law for film in films}) == 12
    assert [film.law for film in films[:12]] == list(study_design.LAWS)


# Results and analysis


def envelope_sums(correlation, blocks=3):
    """Return sums of 1, a, b, a^2, b^2 and ab with a correlation, in equal blocks."""
    return np.tile([100.0, 0.0, 0.0, 100.0, 100.0, 100.0 * correlation], (blocks, 1))


def write_results(folder, design, correlation, distance, seconds=(60, 20)):
    for film_number, film in enumerate(design.films):
        for length in seconds:
            rows = []
            cells = [(arm, seed) for arm in study_design.PRIMARY_ARMS for seed in range(2)]
            for arm, seed in (*cells, *((name, NO_SEED) for name in study_cells.BASELINES)):
                z = correlation(film_number, length, arm) + (0.01 if seed == 1 else 0)
                envelope = envelope_sums(np.tanh(z))
                away = np.tile([100 * distance(film_number, length, arm), 100.0], (3, 1))
                rows += [
                    Row(film.name, film.law, length, arm, seed, 1, block, measure, tuple(values))
                    for measure, sums in ((ENVELOPE, envelope), (DISTANCE, away))
                    for block, values in enumerate(sums)
                ]
            study_results.append(study_results.csv_path(folder, film.name, length), rows)


def small_design(films=6):
    whole = study_design.study()
    return replace(whole, films=whole.films[:films], seeds=2)


def test_the_analysis_finds_the_differences_that_are_there(tmp_path):
    design, gains = small_design(), np.array([0.3, 0.1, 0.2, 0.25, 0.15, 0.2])

    def correlation(film, seconds, arm):
        return 0.5 + (gains[film] if (arm, seconds) == ("deep", 60) else 0)

    write_results(tmp_path, design, correlation, lambda *which: 4.0)
    report = study_analysis.analyse(design, tmp_path)
    envelope, distance = report.primary
    error = gains.std(ddof=1) / 6**0.5
    assert envelope.films.tested.value == pytest.approx(0.2)
    assert envelope.films.tested.interval == pytest.approx(
        (0.2 - 2.570582 * error, 0.2 + 2.570582 * error)
    )
    shown = np.tanh(0.505 + gains) - np.tanh(0.505)
    assert envelope.films.shown.value == pytest.approx(shown.mean())
    assert envelope.is_clear
    assert not envelope.is_none
    assert envelope.films.adjusted_p == pytest.approx(2 * envelope.films.tested.p)
    assert distance.is_none
    assert not distance.is_clear
    both = {
        each.contrast.name: each for each in report.secondary if each.contrast.measure == ENVELOPE
    }
    assert both["deep minus wide, 60 s minus 20 s"].films.tested.value == pytest.approx(0.2)
    assert both["wide minus shallow, 60 s"].films.tested.value == pytest.approx(0)
    nearest = report.beside_nearest[2]
    assert nearest.contrast.name == "deep minus nearest, 60 s"
    assert nearest.films.shown.value == pytest.approx(
        (np.tanh(0.505 + gains) - np.tanh(0.5)).mean()
    )
    text = study_page.page(report)
    assert "depth is heard in level over time" in text
    assert "Depth is not heard in spectra: the difference of +0.00 dB" in text
    assert f"{shown.mean():+.3f}" in text
    ours, other = report.power.values()
    expected = study_power.detectable(gains, 6, 0.025)
    assert (ours.found.up, ours.found.down) == pytest.approx((expected.up, expected.down), rel=0.03)
    assert other.found == study_power.Found(0, 0)  # no spread
    assert other.none_share == 1
    assert "| distance dB | 0.000 dB | 0.000 dB | by 100 %, within 0.3 dB |" in text
    bounce = f"{shown[0]:+.3f} | {np.delete(shown, 0).mean():+.3f} ("
    assert f"| bounce | {bounce}" in text
    dots = [float(each.get("cx")) for each in fromstring(study_page.picture(report)).iter(CIRCLE)]
    centre, half = study_picture.LEFT + study_picture.PANEL / 2, study_picture.PANEL / 2
    reach = 1.08 * max(shown.max(), envelope.films.shown.interval[1])
    by_law = shown[np.argsort(study_design.LAWS[:6])]
    assert dots[:6] == pytest.approx(centre + half * by_law / reach, abs=0.06)
    assert dots[6] == pytest.approx(centre + half * shown.mean() / reach, abs=0.06)
    assert len(dots) == 14


def test_nothing_is_said_before_all_films_are_in(tmp_path):
    design = small_design()
    write_results(tmp_path, design, lambda *which: 0.5, lambda *which: 4.0)
    study_results.csv_path(tmp_path, design.films[2].name, 20).unlink()
    report = study_analysis.analyse(design, tmp_path)
    assert (report.complete_films, report.films) == (5, 6)
    assert not report.primary
    assert not report.figures
    text = study_page.page(report)
    assert "5 of 6 films; no verdict before all are in" in text
    assert "|" not in text


def test_a_film_that_lacks_one_training_is_not_in(tmp_path):
    design = small_design(2)
    write_results(tmp_path, design, lambda *which: 0.5, lambda *which: 4.0)
    assert study_analysis.analyse(design, tmp_path).is_complete
    path = study_results.csv_path(tmp_path, design.films[1].name, 20)
    lines = path.read_text().splitlines()
    kept = [line for line in lines if line.split(",")[3:5] != ["wide", "1"]]
    path.write_text("\n".join(kept) + "\n")
    assert len(kept) < len(lines)
    assert study_analysis.analyse(design, tmp_path).complete_films == 1


def test_a_secondary_arm_is_shown_once_all_films_have_it(tmp_path):
    design = small_design(3)
    write_results(tmp_path, design, lambda *which: 0.5, lambda *which: 4.0)
    shown = {each.contrast.name for each in study_analysis.analyse(design, tmp_path).secondary}
    for number, film in enumerate(design.films):
        rows = [
            Row(film.name, film.law, 60, "deep head", seed, 1, 0, DISTANCE, (300.0, 100.0))
            for seed in range(2)
        ]
        study_results.append(study_results.csv_path(tmp_path, film.name, 60), rows)
        report = study_analysis.analyse(design, tmp_path)
        new = {each.contrast.name for each in report.secondary} - shown
        assert new == ({"deep head minus deep, 60 s"} if number == 2 else set())
        assert ((60, "deep head", DISTANCE) in report.figures) == (number == 2)
        assert ("deep head, 60 s" in report.missing) == (number < 2)
    assert "deep head, 20 s; wide past, 60 s; " in study_page.page(report)


def spread_of(count):
    """Return values with mean 0 and standard deviation 1."""
    values = np.random.default_rng(1).standard_normal(count)
    return (values - values.mean()) / values.std(ddof=1)


def told(value, sd, p, law_sd=None, law_p=None):
    """Return the verdict on 24 films of 12 laws with a mean and standard deviations, in dB."""
    films = study_analysis.Means(*[Mean.of(value + sd * spread_of(24))] * 2, p)
    of_laws = Mean.of(value + (sd if law_sd is None else law_sd) * spread_of(12))
    laws = study_analysis.Means(of_laws, of_laws, p if law_p is None else law_p)
    spectra = study_analysis.Difference(study_analysis.PRIMARY[1], films, laws)
    report = study_analysis.Report(
        24,
        24,
        primary=(spectra,),
        secondary=(replace(spectra, contrast=study_analysis.IN_ONSETS),),
        laws={"a": (np.array([-0.2, -0.1]),), "b": (np.array([0.3]),)},
    )
    return study_page.verdict(report)


def test_sentences_follow_the_intervals():
    heard = told(-0.8, 0.5, 0.01)
    assert "depth is heard in spectra: three layers are better than one with as many" in heard
    assert "weights by -0.80 dB (-1.01 to -0.59), Holm p 0.01." in heard
    assert "depth does harm in spectra: three layers are worse" in told(0.8, 0.5, 0.01)
    assert "it cannot be said whether depth is heard in spectra" in told(-0.2, 1.5, 0.4)
    assert "depth is not heard in spectra" in told(0.0, 0.2, 0.9)
    assert "Laws differ: from -0.150 (`a`) to +0.300 (`b`)." in told(0.0, 0.2, 0.9)
    secondary = "Of the secondary figures: "
    assert f"{secondary}depth is heard in when sounds begin" in told(0.1, 0.05, 0.01)
    assert f"{secondary}depth does harm in when sounds begin" in told(-0.1, 0.05, 0.01)
    assert f"{secondary}it cannot be said whether" in told(0.1, 0.9, 0.6)


def test_sentences_say_where_laws_do_not_agree():
    assert "may not hold for other laws" not in told(-0.8, 0.5, 0.01)
    clear = told(-0.3, 0.5, 0.01, law_p=0.21)
    # t of 11 degrees of freedom: .3 / (.5 / sqrt(12)) = 2.078
    assert clear.count("With laws as units it is not clear (p 0.062, Holm p 0.21), so it may") == 2
    none = told(0.0, 0.2, 0.9, law_sd=0.7)
    # t quantile of 11 degrees of freedom, 1.7959, times .7 / sqrt(12)
    assert "With laws as units it cannot be said (90 %: -0.36 to +0.36), so it may" in none
    assert "laws as units" not in told(-0.2, 1.5, 0.4, law_sd=3)


def test_laws_are_units_whose_means_are_tested():
    values = [1.0, 3.0, 2.0, 6.0, 5.0, 7.0]
    figures = {
        (f"f-{film}", 60, arm, DISTANCE): (arm == "deep") * value
        for film, value in enumerate(values)
        for arm in ("deep", "wide")
    }
    laws = {f"f-{film}": "abc"[film // 2] for film in range(6)}
    (found,) = study_analysis.family(figures, study_analysis.PRIMARY[1:], laws)
    assert found.films.tested.value == found.laws.tested.value == 4
    assert found.films.tested.units == 6
    assert found.laws.tested.units == 3
    # Means 2, 4, 6: t = 4 / (2 / sqrt(3)) = 3.464 with two degrees of freedom.
    assert found.laws.tested.p == pytest.approx(0.0742, abs=1e-4)
    assert found.laws.shown.interval[0] == pytest.approx(4 - 4.302653 * 2 / 3**0.5)


def test_a_family_is_corrected_for_what_it_still_lacks():
    figures = {
        (f"f-{film}", 60, arm, measure): (arm == "deep") * (1.0 + 0.1 * film)
        for film in range(4)
        for arm in ("deep", "wide")
        for measure in (ENVELOPE, DISTANCE)
    }
    laws = {f"f-{film}": "f" for film in range(4)}
    (alone,) = study_analysis.family(figures, study_analysis.PRIMARY[:1], laws)
    (first,) = study_analysis.family(figures, study_analysis.PRIMARY[:1], laws, 16)
    assert first.films.adjusted_p == pytest.approx(16 * alone.films.adjusted_p)
    assert alone.films.adjusted_p == pytest.approx(0.000386, rel=0.01)  # t of 3 degrees of freedom


def test_power_is_that_of_the_t_test():
    spread = np.random.default_rng(3).standard_normal(4000)
    # Noncentral t: 24 pairs see 0.5966 standard deviations in 80 % of studies.
    found = study_power.detectable(spread, 24)
    assert (found.up, found.down) == pytest.approx((0.597, 0.597), abs=0.03)
    assert study_power.equivalence_power(spread, 24, 10.0) == 1
    assert study_power.equivalence_power(spread, 24, 0.1) < 0.05
    # Of 400 films, means have a deviation of .05 and the test adds 1.6486 of it: within so much
    # and one deviation more are 68.3 % of them.
    share = study_power.equivalence_power(spread, 400, 0.05 * (1.6486 + 1))
    assert share == pytest.approx(0.683, abs=0.06)
    # Two films that are 1 apart from their mean have a deviation of sqrt(2), not of 1.
    two, many = (study_power.detectable([-1.0, 1.0] * count, 24).up for count in (1, 500))
    assert two / many == pytest.approx(2**0.5, rel=0.05)
    # One film in ten is far above: a study without it finds what is above 0, but nothing below.
    skewed = study_power.detectable([9.0, *[-1.0] * 9], 24)
    assert skewed.down > 1.3 * skewed.up
    mirrored = study_power.detectable([-9.0, *[1.0] * 9], 24)
    assert (mirrored.up, mirrored.down) == pytest.approx((skewed.down, skewed.up))
    assert study_power.detectable(spread, 24, 0.01).up > found.up


def test_a_film_with_too_many_failed_trainings_does_not_count():
    good = {ENVELOPE: envelope_sums(0.5)}
    table = {("deep", seed): (good if seed < 2 else {}) for seed in range(5)}
    loaded = {("a-1", 60): table, ("b-1", 60): {**table, ("deep", 2): good}}
    figures = study_analysis.film_figures(loaded, ("deep",))
    assert list(figures) == [("b-1", 60, "deep", ENVELOPE)]
    assert figures["b-1", 60, "deep", ENVELOPE] == pytest.approx(np.arctanh(0.5))


def test_it_goes_on_where_it_stopped(tmp_path, monkeypatch):
    design = small_design(1)
    job, *others = study_cells.jobs(design, tmp_path / "results", tmp_path / "work")
    assert {each.arms for each in others} == {
        study_design.PRIMARY_ARMS,
        *study_design.SECONDARY_ARMS,
    }
    whole = study_cells.jobs(study_design.study(), tmp_path, tmp_path)
    order = [(each.arms[0], each.seconds) for each in whole[::24]]
    first = [("shallow", 60), ("shallow", 20)]
    tested = ("deep head", "wide past", "memory")
    others = [(arm, seconds) for seconds in (60, 20) for arm in tested]
    assert order == first + others
    assert len({each.film.name for each in whole[:24]}) == 24
    (tmp_path / "results").mkdir()
    made = []

    class Place:
        def __init__(self, job):
            self.job = job

        def rows(self, arm, seed):
            if len(made) == 4 and made[-1] != "broken":
                made.append("broken")
                raise KeyboardInterrupt
            made.append((arm, seed))
            yield Row(job.film.name, job.film.law, 60, arm, seed, 1, 0, ENVELOPE, (1.0, 2.5))

        def remove(self):
            pass

    monkeypatch.setattr(study_cells, "Workplace", Place)
    with pytest.raises(KeyboardInterrupt):
        study_cells.run(job, lambda *cell: None)
    assert len(job.missing()) == 12 - 4
    study_cells.run(job, lambda *cell: None)
    assert not job.missing()
    made.remove("broken")
    assert len(made) == len(set(made)) == 12
    assert study_results.cells(job.path)["wide", 1][ENVELOPE].tolist() == [[1.0, 2.5]]


def test_results_of_another_design_are_refused(tmp_path):
    design = small_design()
    study_results.require_design(tmp_path, design)
    study_results.require_design(tmp_path, replace(design, seeds=7))
    with pytest.raises(ComparisonError, match="another design"):
        study_results.require_design(tmp_path, replace(design, lengths=(60,)))


def rows_of(film, arm, seed=0):
    return [Row(film, "law", 60, arm, seed, 1, 0, ENVELOPE, (1.0, 2.5))]


def test_what_others_add_meanwhile_is_kept(tmp_path):
    path = tmp_path / "bounce-1-60.csv"

    def slow_rows():
        study_results.append(path, rows_of("bounce-1", "memory"))
        yield from rows_of("bounce-1", "deep")

    study_results.append(path, slow_rows())
    assert study_results.done(path) == {("memory", 0), ("deep", 0)}


def test_one_run_is_at_work_in_a_folder_of_results(tmp_path):
    with (
        study_results.lock_results(tmp_path),
        pytest.raises(ComparisonError, match="is at work in"),
        study_results.lock_results(tmp_path),
    ):
        pass


def test_films_of_groups_are_told_apart_by_their_whole_names(tmp_path):
    for name in ("a__intro", "a__end", "b__intro", "b__end"):
        (tmp_path / f"{name}.mp4").write_text(name)
    design = study_design.real_groups(tmp_path)
    identity = design.identity()
    assert len(identity["films"]) == 4
    jobs = study_cells.jobs(design, tmp_path / "results", tmp_path / "work")
    assert len({job.path for job in jobs}) == 4
    (tmp_path / "b__end.mp4").write_text("another film")
    assert study_design.real_groups(tmp_path).identity() != identity


def test_groups_are_shown_with_the_means_of_their_films(tmp_path):
    whole = study_design.study()
    films = (whole.films[0], whole.films[12], whole.films[1])
    assert [film.law for film in films] == ["bounce", "bounce", "lines"]
    design = replace(whole, films=films, lengths=(study_design.WHOLE,), seeds=2)
    study_results.require_design(tmp_path, design)
    write_results(
        tmp_path,
        design,
        lambda film, seconds, arm: [0.1, 0.5, 0.9][film] if arm == "deep" else 0.0,
        lambda film, seconds, arm: [2.0, 6.0, 10.0][film] if arm == "wide" else 5.0,
        (study_design.WHOLE,),
    )
    lines = [line for line in study_page.group_table(tmp_path) if "|" in line]
    envelope, distance, onsets = (lines[start : start + 5] for start in (0, 5, 10))
    wide, deep = (envelope[0].split(" | ").index(arm) for arm in ("wide", "deep"))
    means = np.tanh([0.3 + 0.005, 0.9 + 0.005, 0.5 + 0.005])
    shown = [float(line.split(" | ")[deep]) for line in envelope[2:]]
    assert shown == pytest.approx(means, abs=0.005)
    assert [line.split(" | ")[wide] for line in distance[2:]] == ["4.00", "10.00", "6.00"]
    assert [line.split(" | ")[1] for line in distance[2:]] == ["2", "1", "3"]
    assert {text.strip(" |") for line in onsets[2:] for text in line.split(" | ")[2:]} == {"-"}


@pytest.mark.parametrize("error", [DivergedError, TrainingError])
def test_only_divergence_counts_as_a_failed_training(tmp_path, monkeypatch, error):
    def refuse(*_):
        raise error("the disk is full")

    (job, *_) = study_cells.jobs(small_design(1), tmp_path, tmp_path / "work")
    place = study_cells.Workplace(job)
    place.__dict__["library"] = None
    monkeypatch.setattr(study_cells, "train_brain", refuse)
    if error is DivergedError:
        (row,) = place.rows("deep", 0)
        assert (row.measure, row.sums) == (study_results.FAILED, (1.0,))
    else:
        with pytest.raises(TrainingError):
            list(place.rows("deep", 0))


def test_the_time_of_training_is_a_median(tmp_path):
    path = study_results.csv_path(tmp_path, "bounce-1", 60)
    for seed, seconds in enumerate((50.0, 10.0, 12.0)):
        row = Row("bounce-1", "bounce", 60, "deep", seed, 0, -1, "training_cpu_seconds", (seconds,))
        study_results.append(path, [row])
    loaded = study_analysis.load(small_design(1), tmp_path)
    assert study_analysis._cpu_seconds(loaded) == {(60, "deep"): 12}


def test_a_cell_is_trained_and_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(study_design, "JUDGED_SECONDS", 3)
    monkeypatch.setattr(study_design, "SIZE", SMALL)
    settings = {"small": ("network.hidden=[8]", "training.epochs=1", "target.windows_per_frame=1")}
    film = study_design.DrawnFilm("windows", 1, 5, 6)
    design = study_design.Design((film,), (3,), (("small",),), settings, 1)
    (job,) = study_cells.jobs(design, tmp_path / "results", tmp_path / "work")
    place = study_cells.Workplace(job)
    assert [segment.seconds for segment in place.segments] == [3.0]
    for arm, seed in (("small", 0), ("its own sound", NO_SEED), ("silence", NO_SEED)):
        study_results.append(job.path, place.rows(arm, seed))
    found = study_results.cells(job.path)
    figures = study_analysis.film_figures({("windows-1", 3): found}, ("its own sound", "silence"))
    assert np.tanh(figures["windows-1", 3, "its own sound", ENVELOPE]) == pytest.approx(0.999)
    assert figures["windows-1", 3, "its own sound", DISTANCE] == pytest.approx(0, abs=1e-4)
    assert figures["windows-1", 3, "silence", ENVELOPE] == 0
    small = found["small", 0]
    assert len(small[ENVELOPE]) == 2  # blocks of 2 s
    assert small["training_cpu_seconds"].item() > 0
    place.remove()
    assert not list((tmp_path / "work" / "libraries").iterdir())
