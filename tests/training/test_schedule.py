"""The learning rate follows its closed form, in every stage."""

import math

import pytest

from frame2sound.brain.config import TrainingConfig
from frame2sound.training.optimiser import TrainingSchedule


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_learning_rate_follows_its_closed_form(schedule, warmup):
    training = TrainingConfig(rate=0.2, schedule=schedule, warmup=warmup, epochs=10)
    rate = TrainingSchedule(training, 10).learning_rate
    warmup_steps = max(1, round(100 * warmup))
    for step in range(100):
        if step < warmup_steps:
            expected = 0.2 * (step + 1) / warmup_steps
        elif schedule == "constant":
            expected = 0.2
        elif schedule == "linear":
            expected = 0.2 * (100 - step) / (100 - warmup_steps)
        else:
            expected = (
                0.2 * math.cos(math.pi / 2 * (step - warmup_steps) / (100 - warmup_steps)) ** 2
            )
        assert rate(step) == pytest.approx(expected, rel=1e-12)


def test_training_of_one_step_has_a_learning_rate():
    assert TrainingSchedule(TrainingConfig(rate=0.2, epochs=1), 1).learning_rate(0) == 0.2


def test_each_pretrained_layer_has_its_own_warmup_and_decay():
    schedule = TrainingSchedule(
        TrainingConfig(rate=1.0, pretraining=2, epochs=4, warmup=0.5), 10, pretrained_layers=3
    )
    assert (schedule.pretraining_epochs, schedule.epochs, schedule.total_steps) == (6, 10, 100)
    assert [schedule.pretrained_layer(epoch) for epoch in range(10)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        *[None] * 4,
    ]
    first = [schedule.learning_rate(step) for step in range(20)]
    assert first == [schedule.learning_rate(step) for step in range(20, 40)]
    assert max(first) == first[9] == 1.0
    assert schedule.learning_rate(60) == 1 / 20
    assert [schedule.stage_progress(step) for step in (0, 10, 60, 80)] == [0, 0.5, 0, 0.5]


def test_long_films_take_fewer_epochs():
    training = TrainingConfig(epochs=50, steps=1000)
    assert [TrainingSchedule(training, steps).epochs for steps in (16, 20, 21, 400, 5000)] == [
        50, 50, 48, 3, 1,
    ]  # fmt: skip
