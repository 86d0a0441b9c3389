import type { Trx } from '../../db/atomically.ts';
import type { KybApplication } from '../../db/kyb-applications.ts';
import { kybDocuments } from '../../db/kyb-documents.ts';
import { refuseKybSubmission, submitKybApplication } from '../../db/kyb-form.ts';
import { type FieldFault, Refusal } from '../../domain/errors.ts';
import { missingDocuments } from '../../domain/kyb-document.ts';
import { businessFaults, entityFaults, ownershipFault, personsFaults } from '../../domain/kyb-form.ts';
import type { Vault } from '../../vault/vault.ts';
import { openForm, type OpenedForm } from './open-form.ts';

/**
 * Submits an application that is held (onboarding 8.3, 8.4). Throws `STATE_CONFLICT`, `APPLICATION_INCOMPLETE`
 * with what is missing, `OWNERSHIP_INVALID`.
 */
export async function submitKyb(trx: Trx, vault: Vault, application: KybApplication): Promise<void> {
  await refuseKybSubmission(trx, application);
  const form = await openForm(trx, vault, application);
  const { entity, business, persons } = form;
  const faults = [
    ...sectionFaults(form),
    ...missingDocuments(
      {
        legalForm: entity?.legalForm ?? null,
        hasLicences: (business?.licences.length ?? 0) > 0,
        personIds: persons?.persons.map((one) => one.personId) ?? [],
      },
      await kybDocuments(trx, application.applicationId),
    ),
  ];
  if (faults.length > 0 || persons === null) {
    const detail = 'The application is not complete yet.';
    throw new Refusal('APPLICATION_INCOMPLETE', detail, { fields: faults });
  }
  const fault = ownershipFault(persons);
  if (fault !== null) throw new Refusal('OWNERSHIP_INVALID', fault);
  await submitKybApplication(trx, application, [
    ...(persons.persons.some((one) => one.pep) ? ['PEP_DECLARED'] : []),
    ...(persons.persons.some((one) => one.sanctioned) ? ['SANCTIONED_DECLARED'] : []),
  ]);
}

const sectionFaults = ({ entity, business, persons }: OpenedForm): FieldFault[] => [
  ...(entity === null ? [missing('ENTITY')] : entityFaults(entity)),
  ...(business === null ? [missing('BUSINESS')] : businessFaults(business)),
  ...(persons === null ? [missing('PERSONS')] : personsFaults(persons)),
];

const missing = (field: string): FieldFault => ({ field, message: 'is not filled in' });
