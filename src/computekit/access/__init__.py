"""Who there is, what each may do, and how they say who they are; from files of this machine."""

from computekit.access.access_file import AccessForm, read_access_file
from computekit.access.clouds_file import CLOUD, write_clouds
from computekit.access.directory import Directory, Grant, Project, User
from computekit.access.first_start import AccessDirectory, Secrets, open_access
from computekit.access.passwords import Passwords, hashed_password
from computekit.access.policy import changes_in, everywhere, holds, manages_in, reads_in
from computekit.access.private import read_private, write_private
from computekit.access.roles import Role, with_implied
from computekit.access.sign_in import Issued, NamedProject, NamedUser, SignIn
from computekit.access.tokens import Revoked, Token, Tokens

__all__ = [
    "CLOUD",
    "AccessDirectory",
    "AccessForm",
    "Directory",
    "Grant",
    "Issued",
    "NamedProject",
    "NamedUser",
    "Passwords",
    "Project",
    "Revoked",
    "Role",
    "Secrets",
    "SignIn",
    "Token",
    "Tokens",
    "User",
    "changes_in",
    "everywhere",
    "hashed_password",
    "holds",
    "manages_in",
    "open_access",
    "read_access_file",
    "read_private",
    "reads_in",
    "with_implied",
    "write_clouds",
    "write_private",
]
