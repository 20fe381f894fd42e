"""Panelscope's parts, from arrays at the bottom to the screen at the top."""
