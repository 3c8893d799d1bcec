"""Garbled, hostile and absurd input, through the entries that users have: one file a kind of input.

    python -m tests.fuzz                              all kinds, 20,000 cases each: about a quarter of an hour
    python -m tests.fuzz --target idx --cases 500     one kind
    python -m tests.fuzz --target idx --first 1234 --cases 1 --seed 0      one case again

Whatever comes in, the answer is a result or an error of cnncli; nothing takes more than five seconds or more than
1 GiB of memory, and no file is written outside the folder at work.
"""
