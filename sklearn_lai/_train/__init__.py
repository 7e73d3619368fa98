"""Lai Training in torch: networks, losses, stages."""
