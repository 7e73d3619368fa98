"""Multilayer perceptrons with controlled slopes."""
