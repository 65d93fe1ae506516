"""What a change brings in: two states of a project compared, and the result brought to the code review.

`git` and `diff` know what changed, `states` the texts before and after, `compare` which findings are the same,
`service`, `github` and `gitlab` how a code review is told. Nothing here executes anything of the project under review.
"""
