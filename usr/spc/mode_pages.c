/* SPDX-License-Identifier: BSD-3-Clause */
/* spc/mode_pages.c - the mode pages of SPC-4 r37 7.5 that have something to say. */
#include "base/macros.h"
#include "scsi/device.h"
#include "scsi/scsi.h"
#include "spc/spc.h"

/* Control, 7.5.8. */
#define TST_PER_NEXUS	0x20	/* byte 2: a task set for each I_T nexus */
#define D_SENSE		0x04
#define GLTSD		0x02	/* there are no log parameters to save */
#define QAM_UNRESTRICTED 0x10	/* byte 3: simple tasks may be reordered */
#define SWP		0x08	/* byte 4 */
#define TAS		0x40	/* byte 5: others get TASK ABORTED, see scsi/tmf.c */

void spc_mode_fill_control(const struct scsi_device *dev, bool defaults, uint8_t *p)
{
	const struct scsi_device_config *c = scsi_device_config(dev);

	p[2] = TST_PER_NEXUS | GLTSD;
	p[3] = QAM_UNRESTRICTED;
	p[5] = TAS;
	if (defaults)
		return;
	p[2] |= c->sense_descriptor ? D_SENSE : 0;
	p[4] |= c->swp ? SWP : 0;
}

const uint8_t spc_mode_control_changeable[12] = { [2] = D_SENSE, [4] = SWP };

/* Control extension, 7.5.9: a clock of ours runs until SET TIMESTAMP says better. */
#define TCMOS		0x04	/* byte 4 */
#define SCSIP		0x02

void spc_mode_fill_control_extension(const struct scsi_device *dev, bool defaults,
				     uint8_t *p)
{
	(void)dev;
	(void)defaults;
	p[4] = TCMOS | SCSIP;
	p[6] = SCSI_SENSE_MAX;
}

/* Protocol specific logical unit and port, 7.5.16 and 7.5.17: iSCSI defines
 * nothing that would follow its identifier. */
#define PROTOCOL_ISCSI	0x05

void spc_mode_fill_protocol(const struct scsi_device *dev, bool defaults, uint8_t *p)
{
	(void)dev;
	(void)defaults;
	p[2] = PROTOCOL_ISCSI;
}

/* Informational exceptions control, 7.5.11: DEXCPT, we report none. */
void spc_mode_fill_exceptions(const struct scsi_device *dev, bool defaults, uint8_t *p)
{
	(void)dev;
	(void)defaults;
	p[2] = 0x08;
}
