"""Tests of the Distill page."""
