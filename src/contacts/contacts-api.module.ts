import { Module } from '@nestjs/common';
import { ContactIndexModule } from './contact-index.module.js';
import { ContactsController } from './contacts.controller.js';
import { ContactsService } from './contacts.service.js';

/** Of the API part: who has a number, and agents' picks. */
@Module({ imports: [ContactIndexModule], controllers: [ContactsController], providers: [ContactsService] })
export class ContactsApiModule {}
