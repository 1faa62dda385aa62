"""The engine of KD Workbench: data in, an honestly compared student model out."""

__version__ = "0.1.0"
