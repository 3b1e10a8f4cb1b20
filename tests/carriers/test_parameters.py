"""The code of the parameters, and values from strangers."""

from dataclasses import replace
from fractions import Fraction

import pytest

from frame2sound.carriers.page_writer import column_count
from frame2sound.carriers.parameters import CODE_BYTES, CarrierParameters, Kind
from frame2sound.sound.stft import Stft

ONE = CarrierParameters(
    Kind.SCROLL, 192_000, 2, 10**9, 136, 512, 4, 1024, 147, -123.45, 80, 1,
    Fraction(30_000, 1001), 70_000,
)  # fmt: skip


@pytest.mark.parametrize(
    "given", [ONE, CarrierParameters(Kind.SAMPLES, 8000, 1, 1, 1, 1), replace(ONE, cell=16)]
)
def test_the_code_and_the_json_hold_everything(given):
    assert CarrierParameters.from_code(given.code()) == given
    assert CarrierParameters.from_dict(given.to_dict()) == given
    assert len(given.code()) == CODE_BYTES


def test_any_damaged_bit_is_noticed():
    code = bytearray(ONE.code())
    for place in range(len(code)):
        for bit in range(8):
            code[place] ^= 1 << bit
            with pytest.raises(ValueError, match="damaged"):
                CarrierParameters.from_code(bytes(code))
            code[place] ^= 1 << bit


@pytest.mark.parametrize("code", [b"", bytes(CODE_BYTES), b"\xff" * CODE_BYTES, ONE.code()[:-1]])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="no code"):
        CarrierParameters.from_code(code)


@pytest.mark.parametrize(
    "change",
    [
        {"sample_rate": 0}, {"channels": 3}, {"samples": 0}, {"n_fft": 0}, {"hop": 513},
        {"rows": 600}, {"range_db": 0}, {"fps": Fraction(0)}, {"columns": 1 << 20},
        {"fps": Fraction(1, 1 << 16)}, {"fps": Fraction(1 << 32)}, {"reference_db": 327.68},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_impossible_values_are_refused(change):
    with pytest.raises(ValueError, match=r"expected|transform|rows|scroll|too many digits"):
        replace(ONE, **change)


@pytest.mark.parametrize(
    "values",
    [{}, {"kind": 3}, ONE.to_dict() | {"kind": "nonsense"}, ONE.to_dict() | {"fps": "1/0"},
     ONE.to_dict() | {"rows": "384"}, ONE.to_dict() | {"more": 1}, ONE.to_dict() | {"hop": None},
     ONE.to_dict() | {"fps": "1e99999999"}, ONE.to_dict() | {"fps": "9" * 11},
     ONE.to_dict() | {"fps": 25}, ONE.to_dict() | {"rows": 464.0},
     ONE.to_dict() | {"channels": True}, ONE.to_dict() | {"reference_db": float("nan")},
     ONE.to_dict() | {"reference_db": float("inf")}, ONE.to_dict() | {"reference_db": 400}],
)  # fmt: skip
def test_json_from_strangers_is_checked(values):
    with pytest.raises(ValueError, match=r"carrier|number|expected|fraction"):
        CarrierParameters.from_dict(values)


@pytest.mark.parametrize("samples", [1, 191, 192, 193, 5000])
def test_as_many_columns_are_counted_as_the_transform_has(samples):
    stft = Stft(384, 96)
    assert column_count(samples, stft) == len(stft.centres(samples))
