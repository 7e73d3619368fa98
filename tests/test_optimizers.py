"""Our optimisers take the steps of torch's and of MLPRegressor's."""

import pytest
import torch

from sklearn_lai._train.optimizers import SGD, Adam


def trajectory(make_step, n_steps=30):
    """Parameters along the gradients of an uneven bowl."""
    parameters = torch.linspace(-1, 2, 7, dtype=torch.float64)
    curvature = torch.logspace(-3, 2, 7, dtype=torch.float64)
    step = make_step(parameters)
    path = []
    for _ in range(n_steps):
        step(curvature * parameters)
        path.append(parameters.detach().clone())
    return torch.stack(path)


def step_of_torch(make):
    def make_step(parameters):
        optimizer = make([parameters])

        def step(gradient):
            parameters.grad = gradient
            optimizer.step()

        return step

    return make_step


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)])
def test_adam_takes_the_steps_of_torch(betas):
    ours = trajectory(
        lambda p: Adam(p, 0.01, beta_1=betas[0], beta_2=betas[1], epsilon=1e-30).step
    )
    # The two put epsilon in different places, so it is negligible here.
    theirs = trajectory(
        step_of_torch(lambda p: torch.optim.Adam(p, 0.01, betas=betas, eps=1e-30))
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_takes_the_steps_of_torch(momentum, nesterov):
    ours = trajectory(lambda p: SGD(p, 0.01, momentum=momentum, nesterov=nesterov).step)
    theirs = trajectory(
        step_of_torch(
            lambda p: torch.optim.SGD(
                p, 0.01, momentum=momentum, nesterov=nesterov and momentum > 0
            )
        )
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
