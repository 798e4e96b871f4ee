"""Learning rates (and momenta) that schedulers set over 30 steps: python3 test/golden/schedulers.py

A case is a list of schedulers, each [name, arguments], of which only the last is stepped; "$schedulers" stands for those
before. Learning rates are those of two groups, which begin with 0.1 and 0.05.
"""
import json
import re
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler, swa_utils

warnings.filterwarnings("ignore")
STEPS = 30
LAMBDAS = {"$decay": lambda epoch: 0.9**epoch, "$inverse": lambda epoch: 1 / (1 + epoch)}
MEASURES = [1, 0.9, 0.9, 0.8999, 0.91, 0.92, 0.93, 0.5, 0.5, 0.5, 0.6, 0.7, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4,
            0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
cases = []


def snake(name):
    known = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}
    return known.get(name, re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name))


def case(*chain, optimizer="SGD"):
    parameters = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": [parameters[0]], "lr": 0.1}, {"params": [parameters[1]], "lr": 0.05}]
    options = {"momentum": 0.9} if optimizer == "SGD" else {}
    made = getattr(torch.optim, optimizer)(groups, **options)
    schedulers = []
    for name, arguments in chain:
        args = [LAMBDAS.get(arg, arg) if isinstance(arg, str) else arg for arg in arguments if not isinstance(arg, dict)]
        args = [[LAMBDAS[each] for each in arg] if isinstance(arg, list) and arg and isinstance(arg[0], str) else arg
                for arg in args]
        args = [list(schedulers) if arg == "$schedulers" else arg for arg in args]
        keywords = {snake(k): v for each in arguments if isinstance(each, dict) for k, v in each.items()}
        kind = getattr(swa_utils if name == "SWALR" else lr_scheduler, name)
        keywords = {k: "exp_range" if v == "expRange" else LAMBDAS.get(v, v) if isinstance(v, str) else v for k, v in keywords.items()}
        made_with = [] if name == "ChainedScheduler" else [made]
        schedulers.append(kind(*made_with, *args, **keywords))
    trace = []

    def note():
        group = made.param_groups[0]
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        trace.append([*(group["lr"] for group in made.param_groups), momentum])

    note()
    steps = min(STEPS, schedulers[-1].total_steps - 1 if chain[-1][0] == "OneCycleLR" else STEPS)
    for step in range(steps):
        made.step()
        if chain[-1][0] == "ReduceLROnPlateau":
            schedulers[-1].step(MEASURES[step])
        else:
            schedulers[-1].step()
        note()
    cases.append({"optimizer": optimizer, "chain": chain, "trace": trace})


case(["StepLR", [4]])
case(["StepLR", [3, {"gamma": 0.5}]])
case(["MultiStepLR", [[2, 5, 5, 11]]])
case(["MultiStepLR", [[0, 4], {"gamma": 0.3}]])
case(["ExponentialLR", [0.8]])
case(["LinearLR", []])
case(["LinearLR", [{"startFactor": 0.2, "endFactor": 0.7, "totalIters": 9}]])
case(["LambdaLR", ["$decay"]])
case(["LambdaLR", [["$decay", "$inverse"]]])
case(["CosineAnnealingLR", [7]])
case(["CosineAnnealingLR", [10, {"etaMin": 0.01}]])
case(["CosineAnnealingLR", [1]])
case(["CosineAnnealingWarmRestarts", [5]])
case(["CosineAnnealingWarmRestarts", [3, {"tMult": 2, "etaMin": 0.02}]])
for optimizer in ["SGD", "Adam"]:
    case(["OneCycleLR", [0.5, {"totalSteps": 25}]], optimizer=optimizer)
case(["OneCycleLR", [[0.5, 0.2], {"epochs": 5, "stepsPerEpoch": 4, "annealStrategy": "linear", "pctStart": 0.4,
                                  "divFactor": 10, "finalDivFactor": 100}]])
case(["OneCycleLR", [0.5, {"totalSteps": 20, "threePhase": True, "baseMomentum": 0.8, "maxMomentum": [0.9, 0.99]}]])
case(["OneCycleLR", [0.5, {"totalSteps": 20, "cycleMomentum": False, "pctStart": 0.0}]])
case(["ReduceLROnPlateau", [{"patience": 2}]])
case(["ReduceLROnPlateau", [{"patience": 1, "factor": 0.5, "cooldown": 2, "minLr": [0.02, 0.01]}]])
case(["ReduceLROnPlateau", [{"patience": 3, "mode": "max", "thresholdMode": "abs", "threshold": 0.01}]])
case(["ReduceLROnPlateau", [{"patience": 0, "threshold": 0.2, "eps": 1e-3}]])
case(["SWALR", [0.03]])
case(["SWALR", [[0.3, 0.01], {"annealEpochs": 4, "annealStrategy": "linear"}]])
case(["SWALR", [0.03, {"annealEpochs": 0}]])
# One on top of another, each of which sets the rates when it is made.
case(["LinearLR", [{"totalIters": 4}]], ["ExponentialLR", [0.9]])
case(["LinearLR", [{"totalIters": 4}]], ["CosineAnnealingLR", [9]], ["SequentialLR", ["$schedulers", [4]]])
case(["LinearLR", [{"startFactor": 0.1, "totalIters": 3}]], ["CosineAnnealingWarmRestarts", [4]], ["StepLR", [5]],
     ["SequentialLR", ["$schedulers", [3, 12]]])
case(["ExponentialLR", [0.9]], ["LambdaLR", ["$inverse"]], ["MultiStepLR", [[0, 2]]], ["SWALR", [0.02]],
     ["SequentialLR", ["$schedulers", [5, 10, 15]]])
case(["ExponentialLR", [0.9]], ["LinearLR", [{"endFactor": 0.5}]], ["SequentialLR", ["$schedulers", [6]]])
case(["ConstantLR", []])
case(["ConstantLR", [{"factor": 0.2, "totalIters": 9}]])
case(["PolynomialLR", []])
case(["PolynomialLR", [{"totalIters": 20, "power": 0.9}]])
case(["MultiplicativeLR", ["$inverse"]])
case(["MultiplicativeLR", [["$decay", "$inverse"]]])
for optimizer in ["SGD", "Adam"]:
    case(["CyclicLR", [0.01, 0.5, {"stepSizeUp": 4}]], optimizer=optimizer)
case(["CyclicLR", [[0.01, 0.02], [0.5, 0.2], {"stepSizeUp": 3, "stepSizeDown": 5, "mode": "triangular2"}]])
case(["CyclicLR", [0.01, 0.5, {"stepSizeUp": 5, "mode": "expRange", "gamma": 0.9, "cycleMomentum": False}]])
case(["CyclicLR", [0.01, 0.5, {"stepSizeUp": 2, "scaleFn": "$inverse", "baseMomentum": 0.5, "maxMomentum": [0.8, 0.9]}]])
case(["CyclicLR", [0.01, 0.5, {"stepSizeUp": 2, "scaleFn": "$decay", "scaleMode": "iterations"}]])
case(["ConstantLR", [{"factor": 0.1, "totalIters": 4}]], ["ExponentialLR", [0.9]], ["ChainedScheduler", ["$schedulers"]])
case(["PolynomialLR", [{"totalIters": 25}]], ["CosineAnnealingLR", [6]], ["ChainedScheduler", ["$schedulers"]])
case(["ConstantLR", []], ["PolynomialLR", [{"totalIters": 8}]], ["MultiplicativeLR", ["$decay"]], ["SequentialLR", ["$schedulers", [3, 12]]])

golden = {"torch": torch.__version__, "measures": MEASURES, "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
