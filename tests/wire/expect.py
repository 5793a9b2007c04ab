# SPDX-License-Identifier: BSD-3-Clause
"""Expectations that several test files share."""

from harness import Failed, among, check
from iscsi import Closed, Conn, Login, LoginFailed
from session import Rejected

CLOSED = "closed"

# The initiator-error statuses of 11.13.5 that fit any malformed login.
INITIATOR_ERRORS = tuple(range(0x0200, 0x020C))


def login_outcome(b, dialog, **login):
    """Runs dialog(login) on a new connection -> 0, a status, or CLOSED.

    A refusal must be followed by the end of the connection: 6.3, "the Login Phase
    ... the connection MUST be terminated" (also 7.12).
    """
    with Conn(b.addr) as conn:
        try:
            dialog(Login(conn, **login))
            return 0
        except LoginFailed as e:
            check(not conn.drain(), "something follows the refusal of a login")
            return e.status
        except Closed:
            return CLOSED


def login_refused(b, dialog, legal=(*INITIATOR_ERRORS, CLOSED), **login):
    """The dialog must not lead to a session; @legal are the ways to say so."""
    got = login_outcome(b, dialog, **login)
    show = [x if x == CLOSED else f"0x{x:04x}" for x in legal]
    among(got if got == CLOSED else f"0x{got:04x}", show, "the outcome of the login")
    return got


def rejected(fn, reasons):
    """fn() must be answered by a Reject PDU with one of @reasons (11.17.1)."""
    try:
        got = fn()
    except Rejected as e:
        among(e.reason, reasons, "the reason of the Reject")
        return e.pdu
    raise Failed(f"no Reject, but {got}")


def rejected_or_closed(fn, reasons):
    try:
        return rejected(fn, reasons)
    except Closed:
        return None


def good(t):
    check(t.response == 0 and t.status == 0, f"wanted GOOD, got {t}")
    return t


def condition(t, key, code=None, field=None):
    """CHECK CONDITION with that sense; @field is (in_cdb, byte) or (in_cdb, byte, bit)."""
    check(t.response == 0, f"iSCSI response {t.response}")
    check(t.status == 2 and t.sense, f"wanted CHECK CONDITION, got {t}")
    got = (t.sense.key, t.sense.code)
    want = (key, t.sense.code if code is None else code)
    check(got == want, f"sense {got[0]:x}/{got[1]:04x}, not {want[0]:x}/{want[1]:04x}")
    if field is not None:
        check(t.sense.field is not None, f"sense {got[0]:x}/{got[1]:04x} has no field pointer")
        check(t.sense.field[:len(field)] == field,
              f"the field pointer is {t.sense.field}, not {field}")
    return t
