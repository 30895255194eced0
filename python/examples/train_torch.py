"""A classifier trained on coefficients: ImageFolder semantics, random crops and flips on the coefficients, a
DataLoader.

    python python/examples/train_torch.py TRAIN_FOLDER [--epochs 2] [--workers 2]

The network is small on purpose: what is shown is the way of the data.
"""

import argparse

import torch
from torch.utils.data import DataLoader

from jpegdct.torch import DctImageFolder, collate, training


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    args = parser.parse_args()

    torch.manual_seed(1)
    recipe = training("dctnet-24", size=224, flip=0.5, photometric={"brightness": [0.8, 1.2], "chroma_drop": 0.1})
    data = DctImageFolder(args.folder, recipe)
    loader = DataLoader(data, batch_size=args.batch, shuffle=True, num_workers=args.workers, collate_fn=collate)
    print(f"{len(data)} images of {len(data.classes)} classes, tensors {recipe.shape}")

    # 24 channels of 28 x 28 blocks stand for what a pixel network has after its first layers.
    network = torch.nn.Sequential(
        torch.nn.Conv2d(24, 64, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(64, len(data.classes)),
    )
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for epoch in range(args.epochs):
        total = 0.0
        for tensors, targets in loader:
            loss = torch.nn.functional.cross_entropy(network(tensors), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(targets)
        print(f"epoch {epoch + 1}: loss {total / len(data):.3f}")


if __name__ == "__main__":
    main()
