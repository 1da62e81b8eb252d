import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Contact } from './contact.entity.js';

/** A number of a contact, in the forms in which it is looked for. */
@Entity()
@Index('contact_number_e164', ['tenantId', 'e164'], { where: `"e164" is not null` })
@Index('contact_number_national', ['tenantId', 'national'], { where: `"national" is not null` })
@Index('contact_number_last_digits', ['tenantId', 'lastDigits'], { where: `"last_digits" is not null` })
@Index('contact_number_extension', ['tenantId', 'extension'], { where: `"e164" is null and "extension" is not null` })
export class ContactNumber {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  @PrimaryColumn('text')
  type!: string;

  @PrimaryColumn('text')
  id!: string;

  /** Among the contact's numbers, from 0. */
  @PrimaryColumn('smallint')
  place!: number;

  @ManyToOne(() => Contact, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'contact_number_contact' },
    { name: 'connection_id', referencedColumnName: 'connectionId', foreignKeyConstraintName: 'contact_number_contact' },
    { name: 'type', referencedColumnName: 'type', foreignKeyConstraintName: 'contact_number_contact' },
    { name: 'id', referencedColumnName: 'id', foreignKeyConstraintName: 'contact_number_contact' },
  ])
  contact?: Contact;

  /** As somebody wrote it. */
  @Column('text')
  given!: string;

  /** As the tenant's country reads it. */
  @Column('text', { nullable: true })
  e164!: string | null;

  /** Digits without calling code and trunk prefix. */
  @Column('text', { nullable: true })
  national!: string | null;

  /** It was written with its calling code: its `e164` is no guess. */
  @Column('boolean')
  isInternational!: boolean;

  @Column('text', { nullable: true })
  lastDigits!: string | null;

  /** Behind the number, or the number itself where it is a short one. */
  @Column('text', { nullable: true })
  extension!: string | null;
}
