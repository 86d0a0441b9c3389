/* The public form of a company (onboarding 8): five steps over the calls of /kyb/applications. */
'use strict';

const ADDRESS = [
  ['street', 'Street'],
  ['number', 'Number'],
  ['apartment', 'Apartment (optional)'],
  ['city', 'City'],
  ['postCode', 'Post code'],
  ['country', 'Country (two letters)'],
];
const address = (prefix, title) =>
  ADDRESS.map(([name, label]) => [`${prefix}.${name}`, `${title}: ${label}`]);

const LEGAL_FORMS = 'SOLE_TRADER PARTNERSHIP LIMITED_COMPANY JOINT_STOCK FOUNDATION ASSOCIATION OTHER'.split(
  ' ',
);
const CUSTOMERS = 'CONSUMERS COMPANIES PUBLIC_SECTOR'.split(' ');
const ROLES = 'REPRESENTATIVE BENEFICIAL_OWNER SENIOR_MANAGER'.split(' ');
const FUNDS = 'SALARY BUSINESS_INCOME SAVINGS INVESTMENTS INHERITANCE SALE_OF_ASSETS OTHER'.split(' ');
const IDENTITY = 'passport identity_card residence_permit driving_licence'.split(' ');
const DOCUMENTS = [
  'REGISTRY_EXTRACT',
  'ARTICLES_OF_ASSOCIATION',
  'OWNERSHIP_STRUCTURE',
  'TAX_CERTIFICATE',
  'PROOF_OF_ADDRESS',
  'LICENCE',
  'POWER_OF_ATTORNEY',
  'PERSON_DOCUMENT_FRONT',
  'PERSON_DOCUMENT_BACK',
  'PERSON_SELFIE',
  'OTHER',
];

/** Fields of a section: path in the body, label, and what kind it is (text by default). */
const FIELDS = {
  CONTACT: [
    ['contactName', 'Your name'],
    ['contactEmail', 'E-mail', { type: 'email' }],
    ['contactPhone', 'Phone with country code', { type: 'tel' }],
    ['language', 'Language (two letters, optional)'],
    ['termsVersion', 'I accept the terms, version'],
  ],
  ENTITY: [
    ['name', 'Name of the company'],
    ['legalForm', 'Legal form', { options: LEGAL_FORMS }],
    ['country', 'Country (two letters)'],
    ['taxId', 'Tax id'],
    ['registryName', 'Register (optional)'],
    ['registryNumber', 'Number in the register'],
    ['regon', 'REGON (optional)'],
    ['incorporationDate', 'Founded on', { type: 'date' }],
    ...address('registeredAddress', 'Registered address'),
    ...address('correspondenceAddress', 'Correspondence (optional)'),
  ],
  BUSINESS: [
    ['website', 'Website (https, optional)', { type: 'url' }],
    ['industryCode', 'Industry (NACE, for example 62.01)'],
    ['description', 'What the company does', { type: 'textarea' }],
    ['operatingCountries', 'Countries, two letters each, with commas', { type: 'list' }],
    ['customerKinds', 'Customers', { options: CUSTOMERS, multiple: true }],
    ['licences', 'Licences: authority; number; country — one a line (optional)', { type: 'licences' }],
    ['accountPurpose', 'What the account is for', { type: 'textarea' }],
    ['expectedMonthlyVolume', 'Expected volume a month, for example 10000.00 EUR', { type: 'money' }],
  ],
  PERSON: [
    ['roles', 'Roles', { options: ROLES, multiple: true }],
    ['firstName', 'First name'],
    ['lastName', 'Last name'],
    ['birthDate', 'Born on', { type: 'date' }],
    ['nationality', 'Nationality'],
    ['nationalId', 'National id (optional)'],
    ['phone', 'Phone with country code', { type: 'tel' }],
    ...address('address', 'Address'),
    ['ownershipPercent', 'Share in percent', { type: 'number' }],
    ['controlByOtherMeans', 'Controls the company by other means', { type: 'checkbox' }],
    ['sourceOfFunds', 'Source of funds', { options: FUNDS }],
    ['sourceOfFundsText', 'Source of funds, if other'],
    ['pep', 'Politically exposed', { type: 'checkbox' }],
    ['pepDetails', 'If so: office and since when'],
    ['sanctioned', 'On a list of sanctions', { type: 'checkbox' }],
  ],
};
const SECTIONS = ['CONTACT', 'ENTITY', 'BUSINESS', 'PERSONS', 'DOCUMENTS'];

const byId = (id) => document.getElementById(id);
const form = byId('form');
const session = { token: null, applicationId: null, application: null, step: 'CONTACT' };
const issuerCode = location.pathname.split('/')[2];

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const at = (object, path) => path.split('.').reduce((one, name) => one?.[name], object ?? {});

function put(object, path, value) {
  const names = path.split('.');
  const last = names.pop();
  const place = names.reduce((one, name) => (one[name] ??= {}), object);
  place[last] = value;
}

const digitsOf = (currency) =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;

/** How a value of the wire is shown, and how what was typed is sent. */
function toText(value, { type } = {}) {
  if (value === null || value === undefined) return '';
  if (type === 'list') return value.join(', ');
  if (type === 'licences')
    return value.map((one) => [one.authority, one.number, one.country].join('; ')).join('\n');
  if (type === 'money') {
    const digits = digitsOf(value.currency);
    return `${(value.amount / 10 ** digits).toFixed(digits)} ${value.currency}`;
  }
  return String(value);
}

function fromText(text, { type } = {}) {
  const typed = text.trim();
  if (typed === '') return null;
  if (type === 'number') return Number(typed);
  if (type === 'list') return typed.split(/[\s,]+/);
  if (type === 'licences') {
    return typed.split('\n').map((line) => {
      const [authority = '', number = '', country = ''] = line.split(';').map((one) => one.trim());
      return { authority, number, country };
    });
  }
  if (type === 'money') {
    const [amount = '', currency = ''] = typed.split(/\s+/);
    if (!/^[A-Za-z]{3}$/.test(currency)) return { amount: null, currency };
    return { amount: Math.round(Number(amount) * 10 ** digitsOf(currency)), currency };
  }
  return typed;
}

function control([path, , kind = {}], value) {
  const shared = { name: path };
  if (kind.options) {
    const select = element('select', { ...shared, multiple: kind.multiple === true });
    if (!kind.multiple) select.append(element('option', { value: '' }, '—'));
    for (const option of kind.options) {
      const selected = kind.multiple ? (value ?? []).includes(option) : value === option;
      select.append(element('option', { value: option, selected }, option));
    }
    return select;
  }
  if (kind.type === 'checkbox')
    return element('input', { ...shared, type: 'checkbox', checked: value === true });
  if (kind.type === 'textarea' || kind.type === 'licences') {
    return element('textarea', { ...shared, rows: 3, value: toText(value, kind) });
  }
  const types = { list: 'text', money: 'text' };
  const type = types[kind.type] ?? kind.type ?? 'text';
  return element('input', { ...shared, type, step: 'any', value: toText(value, kind) });
}

function fieldset(fields, values, title) {
  const box = element('fieldset', {}, element('legend', {}, title));
  for (const field of fields)
    box.append(element('label', {}, field[1], control(field, at(values, field[0]))));
  return box;
}

function read(fields, box) {
  const body = {};
  for (const [path, , kind = {}] of fields) {
    const input = box.querySelector(`[name="${path}"]`);
    if (kind.multiple)
      put(
        body,
        path,
        [...input.selectedOptions].map((one) => one.value),
      );
    else if (kind.type === 'checkbox') put(body, path, input.checked);
    else put(body, path, fromText(input.value, kind));
  }
  // An address of which nothing was filled in is none.
  for (const [name, value] of Object.entries(body)) {
    const empty = value && typeof value === 'object' && Object.values(value).every((one) => one === null);
    if (empty && /address/i.test(name)) body[name] = null;
  }
  return body;
}

async function call(method, path, body) {
  const headers = {};
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  else headers['Issuer-Code'] = issuerCode;
  const isForm = body instanceof FormData;
  if (body && !isForm) headers['Content-Type'] = 'application/json';
  const sent = body === undefined || isForm ? body : JSON.stringify(body);
  const answer = await fetch(`/kyb/applications${path}`, { method, headers, body: sent });
  const text = await answer.text();
  const told = text === '' ? null : JSON.parse(text);
  if (!answer.ok) {
    const faults = (told?.errors ?? []).map((one) => `${one.field}: ${one.message}`);
    throw new Error([told?.detail ?? 'Something failed.', ...faults].join('\n'));
  }
  return told;
}

const own = (path = '') => `/${session.applicationId}${path}`;
const sectionOf = (name) => session.application?.sections.find((one) => one.section === name);
const isOpen = (name) => {
  const status = session.application?.status ?? 'DRAFT';
  const marked = sectionOf(name)?.state === 'NEEDS_CORRECTION';
  return status === 'DRAFT' || (status === 'NEEDS_CORRECTION' && marked);
};

/** Documents may be changed with every section that they bear out. */
const areDocumentsOpen = () => ['ENTITY', 'BUSINESS', 'PERSONS', 'DOCUMENTS'].some(isOpen);

function remember(application, token) {
  session.application = application;
  session.applicationId = application.applicationId;
  if (token) session.token = token;
  sessionStorage.setItem(
    'kyb',
    JSON.stringify({ token: session.token, applicationId: session.applicationId }),
  );
}

/** Runs an action and shows what it came to. */
async function act(work) {
  byId('fault').textContent = '';
  try {
    await work();
    show();
  } catch (error) {
    byId('fault').textContent = error.message;
  }
}

const button = (text, work) => element('button', { type: 'button', onclick: () => act(work) }, text);

async function save(section, body) {
  if (session.token === null) {
    const { token, tokenExpiresAt: _ends, ...application } = await call('POST', '', body);
    remember(application, token);
  } else remember(await call('PUT', own(`/sections/${section}`), body));
  session.step = SECTIONS[SECTIONS.indexOf(section) + 1] ?? section;
}

function showPersons() {
  const content = sectionOf('PERSONS')?.content ?? { persons: [{}], noOwnerAbove25: false };
  const boxes = element('div');
  const add = (person) => {
    const box = fieldset(FIELDS.PERSON, person, 'Person');
    box.dataset.personId = person.personId ?? '';
    box.append(element('button', { type: 'button', onclick: () => box.remove() }, 'Remove'));
    boxes.append(box);
  };
  content.persons.forEach(add);
  const nobody = element('input', { type: 'checkbox', checked: content.noOwnerAbove25 });
  form.append(boxes, element('button', { type: 'button', onclick: () => add({}) }, 'One more person'));
  form.append(element('label', {}, nobody, ' Nobody owns more than 25 percent'));
  return () => ({
    persons: [...boxes.children].map((box) => ({
      ...read(FIELDS.PERSON, box),
      personId: box.dataset.personId || null,
    })),
    noOwnerAbove25: nobody.checked,
  });
}

function showDocuments() {
  const persons = sectionOf('PERSONS')?.content?.persons ?? [];
  const list = element('ul');
  for (const one of session.application?.documents ?? []) {
    const person = persons.find((other) => other.personId === one.personId);
    const of = person ? ` of ${person.firstName} ${person.lastName}` : '';
    const item = element('li', {}, `${one.type}${of} `);
    const remove = async () => {
      await call('DELETE', own(`/documents/${one.documentId}`));
      remember(await call('GET', own()));
    };
    if (areDocumentsOpen()) item.append(button('Remove', remove));
    list.append(item);
  }
  form.append(list);
  if (!areDocumentsOpen()) return;
  const type = control(['type', '', { options: DOCUMENTS }]);
  const documentType = control(['documentType', '', { options: IDENTITY }]);
  const person = element('select', {}, element('option', { value: '' }, '—'));
  for (const one of persons) {
    person.append(element('option', { value: one.personId }, `${one.firstName} ${one.lastName}`));
  }
  const file = element('input', { type: 'file', accept: 'image/jpeg,image/png,application/pdf' });
  const upload = async () => {
    const body = new FormData();
    body.set('type', type.value);
    if (person.value) body.set('personId', person.value);
    if (documentType.value) body.set('documentType', documentType.value);
    if (file.files[0]) body.set('file', file.files[0]);
    await call('POST', own('/documents'), body);
    remember(await call('GET', own()));
  };
  form.append(
    element('label', {}, 'Kind of document', type),
    element('label', {}, 'Person (documents of persons only)', person),
    element('label', {}, 'Identity document (documents of persons only)', documentType),
    element('label', {}, 'File: JPEG, PNG or PDF, up to 10 MB', file),
    button('Upload', upload),
  );
}

function show() {
  const { application } = session;
  const status = application?.status ?? 'DRAFT';
  const reason = application?.reason ? `: ${application.reason}` : '';
  byId('status').textContent = `State: ${status}${reason}`;
  byId('steps').replaceChildren(
    ...SECTIONS.map((name) => {
      const step = button(`${SECTIONS.indexOf(name) + 1} ${name}`, async () => void (session.step = name));
      step.className = sectionOf(name)?.state ?? '';
      step.disabled = application === null && name !== 'CONTACT';
      if (name === session.step) step.setAttribute('aria-current', 'step');
      return element('li', {}, step);
    }),
  );
  byId('comments').replaceChildren(
    ...(application?.comments ?? []).map((one) => element('p', {}, `${one.section ?? 'All'}: ${one.text}`)),
  );
  form.replaceChildren();
  const name = session.step;
  let bodyOf = null;
  if (name === 'DOCUMENTS') showDocuments();
  else if (name === 'PERSONS') bodyOf = showPersons();
  else {
    const box = fieldset(FIELDS[name], sectionOf(name)?.content, name);
    form.append(box);
    bodyOf = () => read(FIELDS[name], box);
  }
  if (bodyOf !== null && isOpen(name)) form.append(button('Save and go on', () => save(name, bodyOf())));
  if (application !== null && (status === 'DRAFT' || status === 'NEEDS_CORRECTION')) {
    form.append(button('Send the application', async () => remember(await call('POST', own('/submit')))));
  }
}

form.addEventListener('submit', (event) => event.preventDefault());

/** A link that was mailed, or the application this tab works on; else a new one begins. */
function begin() {
  const query = new URLSearchParams(location.search);
  const kept = JSON.parse(sessionStorage.getItem('kyb') ?? 'null');
  const mailed = { token: query.get('token'), applicationId: query.get('application') };
  const known = mailed.token ? mailed : issuerCode === 'resume' ? kept : null;
  // The token must not stay in the address, where it would be kept and shown.
  if (location.search) history.replaceState(null, '', location.pathname);
  if (!known?.token) return show();
  Object.assign(session, known);
  void act(async () => remember(await call('GET', own())));
}

begin();
