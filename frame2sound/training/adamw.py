"""AdamW for processors, without the start-up time of PyTorch's own class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch

EPSILON = 1e-8
"""Added to the root of the second moment before it divides."""


class Optimiser(Protocol):
    """What training needs of an optimiser; those of PyTorch have it."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Tables whose ``lr`` is the learning rate of the next step."""

    def zero_grad(self, set_to_none: bool = ...) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Update the parameters by their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state: under ``state``, tensors by name for each parameter's number."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Restore a state that `state_dict` returned."""


class FusedAdamW:
    """AdamW (Loshchilov and Hutter 2019), equal to the bit to PyTorch's with ``fused=True``.

    PyTorch's class imports its compiler, which takes longer than a hundred steps, and does more
    than a small network's update costs around each step.

    Parameters
    ----------
    parameters : iterable of tensors
        On a processor.
    rate : float
    betas : (float, float)
        Decay of the means of gradients and of their squares.
    weight_decay : float
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 1e-2,
    ) -> None:
        self._parameters = list(parameters)
        self._betas, self._weight_decay = betas, weight_decay
        self._state: dict[int, dict[str, torch.Tensor]] = {}
        self.param_groups: list[dict[str, Any]] = [{"lr": rate}]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have gradients."""
        gradients = {n: p.grad for n, p in enumerate(self._parameters) if p.grad is not None}
        states = [self._state_of(number) for number in gradients]
        steps = [state["step"] for state in states]
        for step in steps:
            step += 1
        torch._fused_adamw_(
            [self._parameters[number] for number in gradients],
            list(gradients.values()),
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            steps,
            amsgrad=False,
            lr=self.param_groups[0]["lr"],
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state, named as PyTorch's class names it."""
        return {"state": self._state}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Restore a state of this class or of PyTorch's.

        Raises
        ------
        ValueError
            It is the state of other parameters.
        """
        state: dict[int, dict[str, torch.Tensor]] = state_dict["state"]
        for number, tensors in state.items():
            if number >= len(self._parameters) or not _fits(tensors, self._parameters[number]):
                raise ValueError("a state of other parameters")
        self._state = {n: {k: t.clone() for k, t in each.items()} for n, each in state.items()}

    def _state_of(self, number: int) -> dict[str, torch.Tensor]:
        if number not in self._state:
            parameter = self._parameters[number]
            self._state[number] = {
                "step": torch.zeros(()),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return self._state[number]


def _fits(tensors: dict[str, torch.Tensor], parameter: torch.Tensor) -> bool:
    shapes = {"step": (), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
    return {name: tensor.shape for name, tensor in tensors.items()} == shapes
