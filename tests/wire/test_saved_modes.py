#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Saved mode pages, SPC-4 5.10, 6.11 and 6.13: what MODE SELECT saves is in force after a restart,
unless the configuration says otherwise."""

import json
import os
import subprocess
import sys

import scsi
from durable import DISK_MB, Durable
from expect import condition, good
from harness import Suite, check, equal
from pr import Node

suite = Suite(alone=True)

RPC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib", "rpc.py")

CURRENT, CHANGEABLE, DEFAULT, SAVED = range(4)
CACHING, CONTROL = 0x08, 0x0A
WCE, D_SENSE, SWP = "wce", "d_sense", "swp"
PLACES = {WCE: (CACHING, 2, 0x04), D_SENSE: (CONTROL, 2, 0x04), SWP: (CONTROL, 4, 0x08)}
MODE_CHANGED = 0x2A01


def page(s, code, pc=CURRENT, ten=True):
    sense, header = (scsi.mode_sense10, 8) if ten else (scsi.mode_sense6, 4)
    return bytes(good(s.scsi(sense(code, alloc=255, pc=pc, dbd=1), read=255)).datain)[header:]


def settings(s, pc=CURRENT):
    """Those that are 1."""
    return {name for name, (code, at, mask) in PLACES.items() if page(s, code, pc)[at] & mask}


def changed(s, **want):
    """The pages of @want's settings as they would be."""
    pages = {}
    for name, on in want.items():
        code, at, mask = PLACES[name]
        raw = pages.setdefault(code, bytearray(page(s, code)))
        raw[at] = raw[at] & ~mask | (mask if on else 0)
    return b"".join(pages.values())


def select(s, pages, sp=1, ten=True):
    if ten:
        raw = bytes(8) + pages
        return s.scsi(scsi.cdb(0x55, 10, (1, 1, 0x10 | sp), (7, 2, len(raw))), out=raw)
    raw = bytes(4) + pages
    return s.scsi(scsi.cdb(0x15, 6, (1, 1, 0x10 | sp), (4, 1, len(raw))), out=raw)


def protected(s):
    t = s.scsi(scsi.write(0, 1), out=bytes(512))
    return t.status != scsi.GOOD and t.sense.key == scsi.DATA_PROTECT


def disk(fn):
    """fn(disk with a state directory): the daemon runs."""
    def case(_b):
        with Durable() as d:
            d.start()
            fn(d)
    case.__name__ = fn.__name__
    return suite.case(case)


@disk
def what_can_be_saved(d):
    with d.node(1) as s:
        for ten in True, False:
            for pc in CURRENT, CHANGEABLE, DEFAULT, SAVED:
                raw = page(s, 0x3F, pc, ten)
                at = 0
                while at < len(raw):
                    code, ps = raw[at] & 0x3F, raw[at] >> 7
                    check(not raw[at] & 0x40, "no subpages were asked for")
                    equal(ps, int(code in (CACHING, CONTROL)), f"PS of page {code:#x}, PC {pc}")
                    at += 2 + raw[at + 1]
            equal(page(s, 0x3F, SAVED, ten), page(s, 0x3F, DEFAULT, ten), "what nobody has saved")
        equal(settings(s, CHANGEABLE), set(PLACES), "what can be changed")


@suite.cases([(f"{name}/{how}", name, how) for name in PLACES for how in ("stop", "kill")])
def restart(_b, name, how):
    with Durable() as d:
        d.start()
        with d.node(1) as s, d.node(2) as other:
            before = settings(s)
            after = before ^ {name}
            good(select(s, changed(s, **{name: name in after}), ten=how == "stop"))
            equal(settings(s), after, "the current values")
            equal(settings(s, SAVED), after, "the saved values")
            equal(settings(s, DEFAULT), before, "the default values")
            equal(s.attentions(), [], "what it is told itself")
            equal(other.attentions(), [MODE_CHANGED], "what the other is told")
        equal(len(d.files("kept")), 1, "files")
        getattr(d, how)()
        d.start()
        with d.node(1) as s:
            equal(settings(s), after, "the current values")
            equal(settings(s, SAVED), after, "the saved values")
            equal(settings(s, DEFAULT), before, "the default values")
            equal(protected(s), name == SWP, "write protection")
            t = condition(s.scsi(bytes([0xFF]) + bytes(9)), scsi.ILLEGAL_REQUEST)
            equal(t.sense.response_code, 0x72 if name == D_SENSE else 0x70, "the sense format")
            good(select(s, changed(s, **{name: name in before})))
        d.kill()
        d.start()
        with d.node(1) as s:
            equal(settings(s), before, "what was saved last")


@disk
def without_sp_nothing_is_saved(d):
    with d.node(1) as s:
        default = settings(s)
        good(select(s, changed(s, swp=1), sp=0))
        equal(settings(s), default | {SWP}, "the current values")
        equal(settings(s, SAVED), default, "the saved values")
        # 6.11: "all the saveable mode pages including any sent": also those that were not.
        good(s.scsi(scsi.cdb(0x55, 10, (1, 1, 0x11))))
        equal(settings(s, SAVED), default | {SWP}, "what an empty list has saved")
        good(select(s, changed(s, swp=0), sp=0))
        equal(settings(s, SAVED), default | {SWP}, "the saved values, later")
    d.stop()
    d.start()
    with d.node(1) as s:
        equal(settings(s), default | {SWP}, "the current values")


@disk
def refused(d):
    """A list that is wrong changes and saves nothing."""
    with d.node(1) as s, d.node(2) as other:
        before = settings(s)
        good_page, bad_page = changed(s, swp=1), bytearray(page(s, 0x1C))
        bad_page[2] ^= 0x10
        condition(select(s, good_page + bad_page), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_FIELD_IN_PARAMETERS)
        equal((settings(s), settings(s, SAVED)), (before, before), "the settings")
        equal(other.attentions(), [], "what the other is told")
        equal(d.files("kept"), [], "files")


@disk
def unwritable(d):
    with d.node(1) as s, d.node(2) as other:
        before = settings(s)
        os.rename(d.state, d.state + ".away")
        condition(select(s, changed(s, swp=1)), scsi.HARDWARE_ERROR)
        equal((settings(s), settings(s, SAVED)), (before, before), "the settings")
        equal(other.attentions(), [], "what the other is told")
        good(select(s, changed(s, swp=1), sp=0))
        os.rename(d.state + ".away", d.state)
        good(select(s, changed(s, swp=1)))
        equal(settings(s, SAVED), before | {SWP}, "the saved settings")


@disk
def what_the_user_sets_counts(d):
    """At the start; a setting that he does not mention is as it was saved."""
    with d.node(1) as s:
        equal(settings(s), {WCE}, "the settings")
        good(select(s, changed(s, wce=0, d_sense=1)))
    d.stop()
    d.start(lun=False)
    d.d.adm("--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1", "-b", d.disk,
            "--params", "write_cache=1")
    with d.node(1) as s:
        equal(settings(s), {WCE, D_SENSE}, "the current values")
        equal(settings(s, SAVED), {D_SENSE}, "the saved values")
        # What is saved as configuration is the user's, not the initiators'.
        good(select(s, changed(s, swp=1)))
        state = json.loads(d.d.adm("--mode", "system", "--op", "save").stdout)
        state = state.get("state", state)
        equal(state["targets"][0]["luns"][0]["params"], {"write_cache": 1}, "its parameters")
        # The same state again changes nothing, also with what was saved in force.
        subprocess.run([sys.executable, RPC, "config.apply", json.dumps({"state": state})],
                       env=d.d.env, check=True, stdout=subprocess.DEVNULL)
        equal(settings(s), {WCE, D_SENSE, SWP}, "the settings after it was applied")
        equal(s.attentions(), [], "what is told")


@disk
def of_the_identity(d):
    """Two LUNs with one scsi_id share what is saved; a LUN that is given an identity gets it."""
    other = d.d.target(disks=0)
    other.lun(1, d.d.disk(DISK_MB))
    d.target.lun_params(1, "scsi_id=one")
    with d.node(1) as s, Node(d, 2, target=other.name) as t:
        good(select(s, changed(s, wce=0, d_sense=1)))
        equal(settings(t, SAVED), {WCE}, "what another disk has saved")
        other.lun_params(1, "scsi_id=one")
        t.attentions()
        equal((settings(t, SAVED), settings(t)), ({D_SENSE}, {D_SENSE}), "saved and in force")
        good(select(t, changed(t, swp=1)))
        equal(settings(s, SAVED), {D_SENSE, SWP}, "what both have saved")
        equal(settings(s), {D_SENSE}, "what is in force where it was not asked for")


if __name__ == "__main__":
    sys.exit(suite.run())
