/** A mail as its reader sees it. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}
