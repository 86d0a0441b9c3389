import { newId, type Trx } from '../../db/atomically.ts';
import { newSubjectId } from '../../db/customers.ts';
import { createKybApplication, type KybApplication, sectionPlace } from '../../db/kyb-applications.ts';
import type { Programme } from '../../db/partners.ts';
import type { KybChannel } from '../../domain/kyb-application.ts';
import type { ContactSection } from '../../domain/kyb-form.ts';
import { indexPersonal, newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { emailIndex } from '../personal-data.ts';

/** Takes step 1 of the form in. `ip` counts public applications of one address. Throws `TOO_MANY_REQUESTS`. */
export async function beginKyb(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  step: { readonly contact: ContactSection; readonly channel: KybChannel; readonly ip: string | null },
): Promise<KybApplication> {
  const { contact, channel, ip } = step;
  const applicationId = newId(trx);
  const { partnerId } = programme;
  const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
  return await createKybApplication(trx, programme, {
    applicationId,
    subjectKey,
    channel,
    emailIndex: emailIndex(vault, contact.contactEmail),
    ipIndex: ip === null ? null : indexPersonal(vault, 'ip', ip),
    contact: sealPersonal(vault, subjectKey, sectionPlace(applicationId, 'CONTACT'), contact),
  });
}
