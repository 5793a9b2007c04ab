# SPDX-License-Identifier: BSD-3-Clause
"""Which command may run while somebody else has the logical unit reserved.

From the standards' tables, not from the code: SPC-4 r37 table 65, SBC-4 r22 table 13; the
column for RESERVE from SPC-2 r20 table 10 and annex B.  What a footnote lets a device of an
older standard refuse (MODE SENSE, READ BUFFER, RECEIVE COPY ..., READ DEFECT DATA and others) is
allowed here, and REPORT CAPABILITIES says so: ALLOW COMMANDS is 100b (SPC-4 r37 table 208).
READ BUFFER(16) is newer, and goes with READ BUFFER; READ(6), READ LONG and WRITE LONG go with
the like in SBC-3.

A row: opcode, service action or None, name, then A (allowed) or C (conflict) for a command
from another I_T nexus than the one that holds
    RESERVE       RESERVE(6) or RESERVE(10)
    WE EA         Write Exclusive, Exclusive Access: any other nexus, registered or not
    REG           a registrants only or all registrants type, and the nexus is registered
    WE-RR EA-RR   these types, and the nexus is not registered
What a row has after that goes into the CDB, as pairs of byte and value: the rule depends on it.
"""

ALL, MEDIA, NEVER = "AAAAA", "ACAAC", "CCACC"
PREVENT, ALLOW, START, STOP = {4: 1}, {4: 0}, {4: 1}, {4: 0}

ROWS = [
    # SPC-4
    (0x00, None, "TEST UNIT READY", "C", ALL),
    (0x03, None, "REQUEST SENSE", "A", ALL),
    (0x12, None, "INQUIRY", "A", ALL),
    (0x15, None, "MODE SELECT(6)", "C", NEVER),
    (0x16, None, "RESERVE(6)", "C", NEVER),
    (0x17, None, "RELEASE(6)", "A", NEVER),
    (0x1A, None, "MODE SENSE(6)", "C", MEDIA),
    (0x1C, None, "RECEIVE DIAGNOSTIC RESULTS", "C", MEDIA),
    (0x1D, None, "SEND DIAGNOSTIC", "C", NEVER),
    (0x1E, None, "PREVENT ALLOW MEDIUM REMOVAL, prevent", "C", NEVER, PREVENT),
    (0x1E, None, "PREVENT ALLOW MEDIUM REMOVAL, allow", "A", ALL, ALLOW),
    (0x3B, None, "WRITE BUFFER", "C", NEVER),
    (0x3C, None, "READ BUFFER", "C", MEDIA),
    (0x4C, None, "LOG SELECT", "C", NEVER),
    (0x4D, None, "LOG SENSE", "A", ALL),
    (0x55, None, "MODE SELECT(10)", "C", NEVER),
    (0x56, None, "RESERVE(10)", "C", NEVER),
    (0x57, None, "RELEASE(10)", "A", NEVER),
    (0x5A, None, "MODE SENSE(10)", "C", MEDIA),
    (0x5E, 0x00, "PERSISTENT RESERVE IN, READ KEYS", "C", ALL),
    (0x5E, 0x01, "PERSISTENT RESERVE IN, READ RESERVATION", "C", ALL),
    (0x5E, 0x02, "PERSISTENT RESERVE IN, REPORT CAPABILITIES", "C", ALL),
    (0x5E, 0x03, "PERSISTENT RESERVE IN, READ FULL STATUS", "C", ALL),
    (0x83, 0x00, "EXTENDED COPY(LID1)", "C", NEVER),
    (0x83, 0x01, "EXTENDED COPY(LID4)", "C", NEVER),
    (0x83, 0x10, "POPULATE TOKEN", "C", MEDIA),
    (0x83, 0x11, "WRITE USING TOKEN", "C", NEVER),
    (0x83, 0x1C, "COPY OPERATION ABORT", "C", NEVER),
    (0x84, 0x00, "RECEIVE COPY STATUS(LID1)", "C", ALL),
    (0x84, 0x01, "RECEIVE COPY DATA(LID1)", "C", ALL),
    (0x84, 0x03, "RECEIVE COPY OPERATING PARAMETERS", "C", ALL),
    (0x84, 0x04, "RECEIVE COPY FAILURE DETAILS(LID1)", "C", ALL),
    (0x84, 0x05, "RECEIVE COPY STATUS(LID4)", "C", ALL),
    (0x84, 0x06, "RECEIVE COPY DATA(LID4)", "C", ALL),
    (0x84, 0x07, "RECEIVE ROD TOKEN INFORMATION", "C", ALL),
    (0x84, 0x08, "REPORT ALL ROD TOKENS", "C", ALL),
    (0x9B, None, "READ BUFFER(16)", "C", MEDIA),
    (0xA0, None, "REPORT LUNS", "A", ALL),
    (0xA3, 0x05, "REPORT IDENTIFYING INFORMATION", "C", ALL),
    (0xA3, 0x0A, "REPORT TARGET PORT GROUPS", "C", ALL),
    (0xA3, 0x0C, "REPORT SUPPORTED OPERATION CODES", "C", MEDIA),
    (0xA3, 0x0D, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "C", MEDIA),
    (0xA3, 0x0E, "REPORT PRIORITY", "C", ALL),
    (0xA3, 0x0F, "REPORT TIMESTAMP", "C", ALL),
    (0xA4, 0x06, "SET IDENTIFYING INFORMATION", "C", NEVER),
    (0xA4, 0x0A, "SET TARGET PORT GROUPS", "C", NEVER),
    (0xA4, 0x0E, "SET PRIORITY", "C", NEVER),
    (0xA4, 0x0F, "SET TIMESTAMP", "C", NEVER),
    # SBC-3 and later
    (0x04, None, "FORMAT UNIT", "C", NEVER),
    (0x07, None, "REASSIGN BLOCKS", "C", NEVER),
    (0x08, None, "READ(6)", "C", MEDIA),
    (0x0A, None, "WRITE(6)", "C", NEVER),
    (0x1B, None, "START STOP UNIT, start", "A", ALL, START),
    (0x1B, None, "START STOP UNIT, stop", "C", NEVER, STOP),
    (0x25, None, "READ CAPACITY(10)", "A", ALL),
    (0x28, None, "READ(10)", "C", MEDIA),
    (0x2A, None, "WRITE(10)", "C", NEVER),
    (0x2E, None, "WRITE AND VERIFY(10)", "C", NEVER),
    (0x2F, None, "VERIFY(10)", "C", MEDIA),
    (0x34, None, "PRE-FETCH(10)", "C", MEDIA),
    (0x35, None, "SYNCHRONIZE CACHE(10)", "C", NEVER),
    (0x37, None, "READ DEFECT DATA(10)", "C", MEDIA),
    (0x3E, None, "READ LONG(10)", "C", NEVER),
    (0x3F, None, "WRITE LONG(10)", "C", NEVER),
    (0x41, None, "WRITE SAME(10)", "C", NEVER),
    (0x42, None, "UNMAP", "C", NEVER),
    (0x48, 0x01, "SANITIZE, OVERWRITE", "C", NEVER),
    (0x48, 0x02, "SANITIZE, BLOCK ERASE", "C", NEVER),
    (0x48, 0x03, "SANITIZE, CRYPTOGRAPHIC ERASE", "C", NEVER),
    (0x48, 0x1F, "SANITIZE, EXIT FAILURE MODE", "C", NEVER),
    (0x7F, 0x0009, "READ(32)", "C", MEDIA),
    (0x7F, 0x000A, "VERIFY(32)", "C", MEDIA),
    (0x7F, 0x000B, "WRITE(32)", "C", NEVER),
    (0x7F, 0x000C, "WRITE AND VERIFY(32)", "C", NEVER),
    (0x7F, 0x000D, "WRITE SAME(32)", "C", NEVER),
    (0x7F, 0x000E, "ORWRITE(32)", "C", NEVER),
    (0x7F, 0x000F, "WRITE ATOMIC(32)", "C", NEVER),
    (0x88, None, "READ(16)", "C", MEDIA),
    (0x89, None, "COMPARE AND WRITE", "C", NEVER),
    (0x8A, None, "WRITE(16)", "C", NEVER),
    (0x8B, None, "ORWRITE(16)", "C", NEVER),
    (0x8E, None, "WRITE AND VERIFY(16)", "C", NEVER),
    (0x8F, None, "VERIFY(16)", "C", MEDIA),
    (0x90, None, "PRE-FETCH(16)", "C", MEDIA),
    (0x91, None, "SYNCHRONIZE CACHE(16)", "C", NEVER),
    (0x93, None, "WRITE SAME(16)", "C", NEVER),
    (0x9C, None, "WRITE ATOMIC(16)", "C", NEVER),
    (0x9E, 0x10, "READ CAPACITY(16)", "A", ALL),
    (0x9E, 0x11, "READ LONG(16)", "C", NEVER),
    (0x9E, 0x12, "GET LBA STATUS", "C", MEDIA),
    (0x9E, 0x13, "REPORT REFERRALS", "C", ALL),
    (0x9F, 0x11, "WRITE LONG(16)", "C", NEVER),
    (0xA8, None, "READ(12)", "C", MEDIA),
    (0xAA, None, "WRITE(12)", "C", NEVER),
    (0xAE, None, "WRITE AND VERIFY(12)", "C", NEVER),
    (0xAF, None, "VERIFY(12)", "C", MEDIA),
    (0xB7, None, "READ DEFECT DATA(12)", "C", MEDIA),
]
