import cv2
import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.eigenframes import draw_eigenframes
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import BrainError


def brain(**picture):
    return Brain.untrained(
        parse_recipe({"name": "x", "network": {"kind": "mlp", "hidden": [4]}, "input": picture})
    )


def test_an_eigenframe_is_drawn_by_its_weights(tmp_path):
    marked = brain(kind="eigenframes", count=3, motion=True)
    assert marked.network.features is not None and marked.network.features.motion is not None
    with torch.no_grad():
        marked.network.features.still.weight[0] = torch.linspace(-2, 2, 4096)
        marked.network.features.motion.weight[1, 5] = 1
    draw_eigenframes(marked, tmp_path / "e.png")
    sheet = cv2.imread(str(tmp_path / "e.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape == (2 * (64 + 4 + 4), 16 * 68 + 4)
    still = sheet[4:68, 4:68].ravel().astype(float)
    np.testing.assert_allclose(still, np.linspace(1, 255, 4096), atol=0.51)
    moving = sheet[76:140, 4:68].ravel()
    assert moving[5] == 255
    assert (np.delete(moving, 5) == 128).all()
    assert not sheet[:72, 72:].any()  # components that the library does not have are not drawn


def test_eigenframes_of_colour_are_drawn_in_colour(tmp_path):
    marked = brain(kind="eigenframes", count=1, colour=True)
    with torch.no_grad():
        marked.network.features.still.weight[0, :4096] = 1  # red
    draw_eigenframes(marked, tmp_path / "e.png")
    assert cv2.imread(str(tmp_path / "e.png"))[30, 30].tolist() == [128, 128, 255]


@pytest.mark.parametrize(
    "picture",
    [{"kind": "pixels"}, {"kind": "eigenframes", "of": "fft2", "profiles": False}],
    ids=str,
)
def test_a_brain_without_eigenframes_is_refused_with_a_remedy(tmp_path, picture):
    with pytest.raises(BrainError, match="no eigenframes of pictures; expected one trained with"):
        draw_eigenframes(brain(**picture), tmp_path / "e.png")
    assert not list(tmp_path.iterdir())
