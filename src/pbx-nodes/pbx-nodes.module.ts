import { Module } from '@nestjs/common';
import { PbxNodesController } from './pbx-nodes.controller.js';
import { PbxNodesService } from './pbx-nodes.service.js';

@Module({ controllers: [PbxNodesController], providers: [PbxNodesService] })
export class PbxNodesModule {}
