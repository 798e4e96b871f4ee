"""Optimizers over 100 steps of given gradients: python3 test/golden/optim.py"""
import json
from pathlib import Path

import torch

STEPS = 100
generator = torch.Generator().manual_seed(5)
start = torch.randn(6, generator=generator)
grads = torch.randn(STEPS, 6, generator=generator)
# Nothing moves a weight whose gradient is always 0 but decay and penalties.
grads[:, 5] = 0


def soft_threshold(p, by):
    return torch.sign(p) * torch.clamp(p.abs() - by, min=0)


def run(make, l1=0.0, mode="proximal"):
    p = start.clone().requires_grad_()
    optimizer = make([p])
    trace = []
    for step in range(STEPS):
        g = grads[step].clone()
        if l1 and mode == "subgradient":
            g += l1 * torch.sign(p.detach())
        p.grad = g
        optimizer.step()
        if l1 and mode == "proximal":
            with torch.no_grad():
                p.copy_(soft_threshold(p, optimizer.param_groups[0]["lr"] * l1))
        if step in (0, 1, 9, STEPS - 1):
            trace.append({"step": step + 1, "values": [float(v) for v in p.detach()]})
    return trace


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
cases = []


def case(optimizer, options, make, l1=0.0, mode="proximal"):
    if l1:
        options = {**options, "l1": l1, "l1Mode": mode}
    cases.append({"optimizer": optimizer, "options": options, "trace": run(make, l1, mode)})


case("SGD", {"lr": 0.1}, lambda p: SGD(p, lr=0.1))
case("SGD", {"lr": 0.1, "momentum": 0.9}, lambda p: SGD(p, lr=0.1, momentum=0.9))
case("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}, lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.3))
case("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True))
case("SGD", {"lr": 0.1, "weightDecay": 0.05}, lambda p: SGD(p, lr=0.1, weight_decay=0.05))
case(
    "SGD",
    {"lr": 0.1, "momentum": 0.8, "weightDecay": 0.05, "nesterov": True, "maximize": True},
    lambda p: SGD(p, lr=0.1, momentum=0.8, weight_decay=0.05, nesterov=True, maximize=True),
)
case("SGD", {"lr": 0.01}, lambda p: SGD(p, lr=0.01), l1=0.5)
case("SGD", {"lr": 0.01, "momentum": 0.5}, lambda p: SGD(p, lr=0.01, momentum=0.5), l1=0.5, mode="subgradient")
case("Adam", {}, lambda p: Adam(p))
case("Adam", {"lr": 0.02, "betas": [0.8, 0.99], "eps": 1e-6}, lambda p: Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6))
case("Adam", {"lr": 0.01, "weightDecay": 0.1}, lambda p: Adam(p, lr=0.01, weight_decay=0.1))
case("Adam", {"lr": 0.01, "amsgrad": True}, lambda p: Adam(p, lr=0.01, amsgrad=True))
case("Adam", {"lr": 0.01, "maximize": True}, lambda p: Adam(p, lr=0.01, maximize=True))
case("Adam", {"lr": 0.01}, lambda p: Adam(p, lr=0.01), l1=0.3)
case("Adam", {"lr": 0.01}, lambda p: Adam(p, lr=0.01), l1=0.3, mode="subgradient")
case("AdamW", {}, lambda p: AdamW(p))
case("AdamW", {"lr": 0.01, "weightDecay": 0.2, "amsgrad": True}, lambda p: AdamW(p, lr=0.01, weight_decay=0.2, amsgrad=True))
case("AdamW", {"lr": 0.01}, lambda p: AdamW(p, lr=0.01), l1=0.3)

RMSprop, Adagrad, NAdam = torch.optim.RMSprop, torch.optim.Adagrad, torch.optim.NAdam
case("RMSprop", {}, lambda p: RMSprop(p))
case("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-6}, lambda p: RMSprop(p, lr=0.02, alpha=0.9, eps=1e-6))
case(
    "RMSprop",
    {"momentum": 0.9, "centered": True, "weightDecay": 0.1},
    lambda p: RMSprop(p, momentum=0.9, centered=True, weight_decay=0.1),
)
case("RMSprop", {"momentum": 0.5, "maximize": True}, lambda p: RMSprop(p, momentum=0.5, maximize=True))
case("Adagrad", {}, lambda p: Adagrad(p))
case(
    "Adagrad",
    {"lr": 0.1, "lrDecay": 0.01, "weightDecay": 0.1, "initialAccumulatorValue": 0.3, "eps": 1e-6},
    lambda p: Adagrad(p, lr=0.1, lr_decay=0.01, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-6),
)
case("Adagrad", {"lr": 0.1, "maximize": True}, lambda p: Adagrad(p, lr=0.1, maximize=True))
case("NAdam", {}, lambda p: NAdam(p))
case(
    "NAdam",
    {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weightDecay": 0.1, "momentumDecay": 0.05},
    lambda p: NAdam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1, momentum_decay=0.05),
)
case(
    "NAdam",
    {"lr": 0.01, "weightDecay": 0.1, "decoupledWeightDecay": True},
    lambda p: NAdam(p, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
)
case("NAdam", {"maximize": True}, lambda p: NAdam(p, maximize=True))
for name, make in [("RMSprop", RMSprop), ("Adagrad", Adagrad), ("NAdam", NAdam)]:
    case(name, {"lr": 0.01}, lambda p: make(p, lr=0.01), l1=0.3)
    case(name, {"lr": 0.01}, lambda p: make(p, lr=0.01), l1=0.3, mode="subgradient")

Adadelta, Adamax, RAdam = torch.optim.Adadelta, torch.optim.Adamax, torch.optim.RAdam
case("Adadelta", {}, lambda p: Adadelta(p))
case(
    "Adadelta",
    {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weightDecay": 0.1},
    lambda p: Adadelta(p, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1),
)
case("Adadelta", {"maximize": True}, lambda p: Adadelta(p, maximize=True))
case("Adamax", {}, lambda p: Adamax(p))
case(
    "Adamax",
    {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weightDecay": 0.1},
    lambda p: Adamax(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
)
case("Adamax", {"maximize": True}, lambda p: Adamax(p, maximize=True))
case("RAdam", {}, lambda p: RAdam(p))
case(
    "RAdam",
    {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weightDecay": 0.1},
    lambda p: RAdam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
)
case(
    "RAdam",
    {"lr": 0.01, "weightDecay": 0.1, "decoupledWeightDecay": True},
    lambda p: RAdam(p, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
)
case("RAdam", {"maximize": True}, lambda p: RAdam(p, maximize=True))
for name, make in [("Adadelta", Adadelta), ("Adamax", Adamax), ("RAdam", RAdam)]:
    case(name, {"lr": 0.01}, lambda p: make(p, lr=0.01), l1=0.3)
    case(name, {"lr": 0.01}, lambda p: make(p, lr=0.01), l1=0.3, mode="subgradient")

golden = {
    "torch": torch.__version__,
    "start": [float(v) for v in start],
    "grads": [[float(v) for v in row] for row in grads],
    "cases": cases,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
