"""The fixture sets, one module each: `fixtures()` yields common.Fixture records. make_fixtures.py writes them out.

Sets of our own writer need only the standard library; encoders, other_formats and photos need external programs.
"""
