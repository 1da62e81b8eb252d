import { Module } from '@nestjs/common';
import { BlockedNumbersController } from './blocked-numbers.controller.js';
import { BlockedNumbersService } from './blocked-numbers.service.js';

@Module({ controllers: [BlockedNumbersController], providers: [BlockedNumbersService] })
export class BlockedNumbersModule {}
