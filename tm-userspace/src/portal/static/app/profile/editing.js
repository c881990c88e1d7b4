// @ts-check
// Editing something that others may change meanwhile: their changes are shown, and what was typed is kept.
import { useEffect, useRef, useState } from "../core/html.js";
import { differences, isSame, merged, mergePatch } from "../core/document.js";
import { useForm } from "../core/form.js";
import { Problem } from "../core/problem.js";

/** @typedef {{ etag: string, document: any }} Version */
/** @typedef {{ where: string, from: any, to: any }} Difference */

/**
 * @param {object} what
 * @param {Version} what.latest as it is now
 * @param {string[]} what.fields
 * @param {(version: Version, document: any) => Promise<Version>} what.save throws a Problem of status 412 where the version is another one by now
 * @param {() => Promise<void>} what.reload
 */
export function useEditing({ latest, fields, save, reload }) {
  const [base, setBase] = useState(latest);
  const form = useForm(base.document, fields);
  // Versions that were there before: one that is still on its way here is no news.
  const past = useRef(new Set(/** @type {string[]} */ ([])));
  const isNews = latest.etag !== base.etag && !past.current.has(latest.etag);
  const theirs = isNews ? differences(base.document, latest.document) : [];
  const take = (/** @type {Version} */ version, /** @type {any} */ document = version.document) => {
    past.current.add(base.etag);
    setBase(version);
    form.replace(document);
  };
  useEffect(() => {
    if (isNews && (!form.isDirty || theirs.length === 0)) take(latest, form.isDirty ? form.value : latest.document);
  }, [latest.etag, form.isDirty]);
  return {
    form,
    /** What others changed since the editing began; nothing where nobody did. @type {Difference[]} */
    theirs: form.isDirty ? theirs : [],
    save: () => form.send(async () => {
      if (isNews && theirs.length) throw new Problem(412, "Look at what others changed first.");
      try {
        take(await save(base, form.value));
      } catch (thrown) {
        if (thrown instanceof Problem && thrown.status === 412) await reload();
        throw thrown instanceof Problem && thrown.status === 412 ? new Problem(412, "Somebody else changed this meanwhile.") : thrown;
      }
      await reload();
    }),
    discard: () => {
      form.show(null);
      form.replace(base.document);
    },
    keepMine: () => {
      form.show(null);
      take(latest, rebased(base.document, form.value, latest.document));
    },
    takeTheirs: () => {
      form.show(null);
      take(latest);
    },
  };
}

/** What was typed over `base`, put on top of `latest`; of endpoints, their order and what each has. @param {any} base @param {any} mine @param {any} latest @returns {any} */
export function rebased(base, mine, latest) {
  const { endpoint, ...patch } = mergePatch(base, mine);
  const result = merged(latest, patch);
  if (endpoint === undefined || !latest.endpoint) return result;
  const named = (/** @type {any} */ document, /** @type {string} */ name) => document.endpoint?.find((/** @type {any} */ its) => its.name === name);
  const order = (mine.endpoint ?? []).map((/** @type {any} */ its) => its.name);
  const place = (/** @type {any} */ its) => (order.includes(its.name) ? order.indexOf(its.name) : order.length);
  const all = latest.endpoint.map((/** @type {any} */ its) => {
    const [before, after] = [named(base, its.name), named(mine, its.name)];
    return before && after && !isSame(before, after) ? merged(its, mergePatch(before, after)) : its;
  });
  return { ...result, endpoint: [...all].sort((a, b) => place(a) - place(b)) };
}
