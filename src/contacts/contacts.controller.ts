import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  contactLookupSchema,
  lookUpContactsQuerySchema,
  pickContactSchema,
  pickedContactSchema,
  type ContactLookupView,
  type LookUpContactsQuery,
  type PickContact,
  type PickedContact,
} from './contacts.schema.js';
import { ContactsService } from './contacts.service.js';

@ApiTags('CRM')
@Controller('v1')
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  @Get('contacts/lookup')
  @RequireScope('calls:read')
  @ApiAnswer({
    operationId: 'lookUpContacts',
    summary: 'Look up who has a number, the likeliest first, with the reasons',
    description:
      'From Ringline’s own index, which answers while a CRM does not. Where it has nobody with the number, CRMs that can be searched are asked, for 300 ms at most.',
    schema: contactLookupSchema,
    problems: ['not-found'],
  })
  lookUp(
    @CurrentActor() actor: Actor,
    @Query({ schema: lookUpContactsQuerySchema }) query: LookUpContactsQuery,
  ): Promise<ContactLookupView> {
    return this.contacts.lookUp(actor, query);
  }

  @Post('calls/:id/contact')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'pickContact',
    summary: 'Say who the other party of a call is',
    description: 'The CRM is told so, and it is remembered for the number: the newest choice stands first from now on.',
    schema: pickedContactSchema,
    problems: ['not-found'],
  })
  pick(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: pickContactSchema }) body: PickContact,
  ): Promise<PickedContact> {
    return this.contacts.pick(actor, id, body);
  }
}
