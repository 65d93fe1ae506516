"""The built-in rules, one file each; the wheel carries this folder as `wsantipattern.rules`.

A rule imports `wsantipattern` and the standard library only. Nothing is registered: `wsantipattern.pack` loads
every file beside this one.
"""
