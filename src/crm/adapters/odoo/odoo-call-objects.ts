import type { CrmCall } from '../../port/crm-objects.js';
import type { Verdict } from '../../port/verdict.js';

/** An Odoo has one of two objects for a call: see the README. */
export interface CallObjects {
  /** By our id. */
  find(call: CrmCall): Promise<Verdict<string | null>>;
  make(call: CrmCall): Promise<Verdict<string>>;
  change(remoteId: string, call: CrmCall): Promise<Verdict>;
  /** With the link in its text. */
  link(remoteId: string, url: string): Promise<Verdict>;
  /** The record to which files are attached. */
  owner(remoteId: string): Promise<Verdict<{ readonly model: string; readonly id: number }>>;
  /** After a file was attached to it; it may have been before. */
  showFile(remoteId: string, attachmentId: number): Promise<Verdict>;
  remove(remoteId: string): Promise<Verdict>;
}

/** No tracking of our own changes in the chatter. */
export const quiet = { tracking_disable: true, mail_create_nosubscribe: true, mail_create_nolog: true };

/** A contact of ours is one of these two. */
export const PARTNER = 'res.partner';
export const LEAD = 'crm.lead';
