import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';

/** When a customer was last compared with the lists; names of the lists as they are compared from now on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table customers
        -- Null: never yet. A card of an employee whose kyc is waived waits for it (onboarding 4).
        add column screened_at timestamptz;
    `,
    )
    .execute(db);
  await foldListedNames(db);
}

/**
 * Folds the letters that have no decomposition in the names of loaded lists, as names are compared since this
 * release. The entries themselves have not changed, so a hit that was decided on one keeps its decision: it takes the
 * entry's new fingerprint.
 */
export async function foldListedNames(db: QueryExecutorProvider): Promise<void> {
  const folded = `replace(replace(replace(replace(
    translate(listed, 'łøđðħŧıȷŋĸəɓɗɖƙƴɨƚǥ', 'loddhtijnqebddkyilg'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')`;
  await sql
    .raw(
      `
      with folded as (
        select list_code, entry_id, fingerprint as old_fingerprint, (
          select array_agg(name order by at) from (
            select name, min(at) as at from (
              select at, (
                select string_agg(word, ' ' order by word collate "C")
                from unnest(string_to_array(${folded}, ' ')) as word
              ) as name
              from unnest(normalized_names) with ordinality as every (listed, at)
            ) as named group by name
          ) as distinct_names
        ) as names
        from screening_entries
        where array_to_string(normalized_names, ' ') ~ '[łøđðħŧıȷŋĸəɓɗɖƙƴɨƚǥßæœþ]'
      ), changed as (
        update screening_entries as entry set
          normalized_names = names,
          fingerprint = left(encode(sha256(convert_to('["' || kind || '",' || array_to_json(names)::text || ','
            || array_to_json(birth_years)::text || ']', 'UTF8')), 'hex'), 32)
        from folded
        where folded.list_code = entry.list_code and folded.entry_id = entry.entry_id
        returning entry.list_code, entry.entry_id, folded.old_fingerprint, entry.fingerprint
      )
      update screening_hits as hit set entry_fingerprint = changed.fingerprint
      from changed
      where hit.list_code = changed.list_code and hit.entry_id = changed.entry_id
        and hit.entry_fingerprint = changed.old_fingerprint
    `,
    )
    .execute(db);
}
