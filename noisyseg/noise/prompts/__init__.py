"""Masks made by a promptable segmenter from weak annotations."""

from noisyseg.noise.prompts.prompt_noise import PromptNoise
from noisyseg.noise.prompts.prompter import Answer, Prompter, Prompts
from noisyseg.noise.prompts.stub_prompter import StubPrompter

__all__ = ["Answer", "PromptNoise", "Prompter", "Prompts", "StubPrompter"]
