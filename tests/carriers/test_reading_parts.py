"""Parts of pictures are read as the whole is, and magnitudes alone find a sound that has them."""

import numpy as np
import pytest

from frame2sound.carriers.magnitude_phases import MagnitudePhases
from frame2sound.carriers.yuv_image import YuvImage
from frame2sound.sound.stft import Stft


@pytest.mark.parametrize("is_bt_709", [False, True])
def test_a_part_has_the_colours_that_the_whole_has_there(is_bt_709):
    rng = np.random.default_rng(0)
    y, *chroma = (rng.integers(16, 236, size, np.uint8) for size in ((33, 17), (17, 9), (17, 9)))
    image = YuvImage((y, *chroma), 8, is_full=False, is_bt_709=is_bt_709)
    whole = np.asarray(image)
    assert whole.shape == image.shape == (33, 17, 3)
    np.testing.assert_allclose(image[5:20, 3:], whole[5:20, 3:], rtol=1e-5)
    luma, red = (int(y[20, 10]) - 16) / 219, (int(chroma[1][10, 5]) - 128) / 224
    kr = 0.2126 if is_bt_709 else 0.299
    assert whole[20, 10, 0] == pytest.approx(255 * (luma + 2 * (1 - kr) * red), abs=0.01)


@pytest.mark.parametrize("hop", [64, 60])  # 60 does not divide the window
def test_magnitudes_alone_find_a_sound_that_has_them(hop):
    time = np.arange(4000)
    sound = np.sin(0.2 * time + 0.00002 * time**2).astype(np.float32)
    stft = Stft(256, hop)
    wanted = stft.magnitude(sound, stft.centres(len(sound))).astype(np.float32)
    phases, half = MagnitudePhases(stft), len(wanted) // 2
    found = np.concatenate([phases.reconstruct(part) for part in (wanted[:half], wanted[half:])])
    assert np.linalg.norm(np.abs(found) - wanted) < 0.1 * np.linalg.norm(wanted)
